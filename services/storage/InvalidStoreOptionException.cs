namespace StripeMeter.Storage;

/// <summary>An option of the store cannot be used.</summary>
public sealed class InvalidStoreOptionException : Exception
{
    public InvalidStoreOptionException()
    {
    }

    public InvalidStoreOptionException(string message) : base(message)
    {
    }

    public InvalidStoreOptionException(string message, Exception cause) : base(message, cause)
    {
    }

    public InvalidStoreOptionException(string option, string reason, Exception? cause = null) : base($"{option} {reason}", cause) =>
        (Option, Reason) = (option, reason);

    /// <summary>Name of the property of <see cref="MeterStoreOptions"/>.</summary>
    public string Option { get; } = "";

    public string Reason { get; } = "";
}
