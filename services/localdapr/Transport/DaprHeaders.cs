namespace StripeMeter.LocalDapr.Transport;

/// <summary>Headers of Dapr's API.</summary>
internal static class DaprHeaders
{
    public const string ApiToken = "dapr-api-token";
    public const string AppId = "dapr-app-id";
    public const string CalleeAppId = "dapr-callee-app-id";
    public const string CallerAppId = "dapr-caller-app-id";
    public const string ReentrancyId = "Dapr-Reentrancy-Id";
    public const string ActorError = "X-DaprErrorResponseHeader";
    public const string CancelReminder = "X-DaprReminderCancel";

    /// <summary>Ours: marks a call that another sidecar of the group hands on; its value is the secret of the one that is
    /// called.</summary>
    public const string Peer = "localdapr-peer-token";
}
