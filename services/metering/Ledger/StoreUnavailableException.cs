namespace StripeMeter.Metering.Ledger;

/// <summary>The store could not say in time that a write is durable. Trying the same again is always safe.</summary>
public sealed class StoreUnavailableException : Exception
{
    public StoreUnavailableException()
    {
    }

    public StoreUnavailableException(string message) : base(message)
    {
    }

    public StoreUnavailableException(string message, Exception cause) : base(message, cause)
    {
    }
}
