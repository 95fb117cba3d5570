namespace StripeMeter.LocalDapr.Actors;

/// <summary>Codes of daprd's actor API.</summary>
internal static class ActorErrors
{
    public const string InvokeMethod = "ERR_ACTOR_INVOKE_METHOD";
    public const string InstanceMissing = "ERR_ACTOR_INSTANCE_MISSING";
    public const string StateGet = "ERR_ACTOR_STATE_GET";
    public const string StateSave = "ERR_ACTOR_STATE_TRANSACTION_SAVE";
    public const string MalformedRequest = "ERR_MALFORMED_REQUEST";
    public const string ReminderCreate = "ERR_ACTOR_REMINDER_CREATE";
    public const string ReminderNotFound = "ERR_ACTOR_REMINDER_NOT_FOUND";
    public const string ReminderExists = "ERR_ACTOR_REMINDER_ALREADY_EXISTS";
    public const string TimerCreate = "ERR_ACTOR_TIMER_CREATE";
    public const string NoStateStore = "ERR_ACTOR_STATE_STORE_NOT_FOUND";
}

/// <summary>An answer other than the actor's own: status, code and message of <c>{"errorCode","message"}</c>.</summary>
internal class ActorCallException(int status, string code, string message, Exception? cause = null) : Exception(message, cause)
{
    public int Status { get; } = status;

    public string Code { get; } = code;
}
