namespace StripeMeter.StripeDouble.Notices;

/// <summary>An attempt to send an event.</summary>
/// <param name="SentMs">When, in Unix milliseconds of the double's time.</param>
/// <param name="Status">How it was answered; null when it was not.</param>
internal readonly record struct Delivery(long SentMs, int? Status)
{
    public bool IsTaken => Status is >= 200 and <= 299;
}

/// <summary>What became of an event.</summary>
internal enum DeliveryState
{
    /// <summary>Nobody listened when it came about.</summary>
    Unheard,

    /// <summary>To be sent.</summary>
    Waiting,

    /// <summary>Sent and not taken; it is sent again.</summary>
    Failing,

    /// <summary>Answered 2xx.</summary>
    Taken,

    /// <summary>Sent as often as the options say, and never taken.</summary>
    GivenUp,
}
