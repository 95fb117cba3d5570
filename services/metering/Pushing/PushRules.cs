namespace StripeMeter.Metering.Pushing;

/// <summary>Stripe's limits, and ours within them.</summary>
public sealed record PushRules
{
    /// <summary>
    /// How long an intent that may have been taken is sent again under its identifier. Stripe refuses a known one for
    /// at least 24 hours only, and counts it again some time after.
    /// </summary>
    public TimeSpan ResendWindow { get; init; } = TimeSpan.FromHours(23);

    /// <summary>How old a timestamp may be when it is minted. Stripe takes 35 days; a day is left for retries.</summary>
    public TimeSpan OldestMinute { get; init; } = TimeSpan.FromDays(34);

    /// <summary>How long used minutes are remembered: as long as Stripe takes timestamps.</summary>
    public TimeSpan MinuteMemory { get; init; } = TimeSpan.FromDays(35);

    /// <summary>
    /// Minutes an intent may be stamped before the newest counted one without waiting. A document that moves all the
    /// time uses minutes faster than they come: beyond this it mints one intent a minute.
    /// </summary>
    public int QuickMinutes { get; init; } = 10;

    /// <summary>After this an attempt that was begun is given up as lost. Longer than any attempt takes.</summary>
    public TimeSpan AttemptLease { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Back-off before the second attempt of an intent; doubles with each.</summary>
    public TimeSpan FirstRetry { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Longest back-off between two attempts of an intent.</summary>
    public TimeSpan LongestRetry { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Back-off after a refused intent; doubles with each.</summary>
    public TimeSpan FirstRemint { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Refused intents in a row after which a document is parked.</summary>
    public int MaximumRejections { get; init; } = 5;
}
