namespace StripeMeter.Metering.Pushing;

/// <summary>Stripe's limits, and ours within them.</summary>
public sealed record PushRules
{
    /// <summary>
    /// How long an intent that may have been taken is sent again under its identifier. Stripe refuses a known one for
    /// at least 24 hours only, and counts it again some time after.
    /// </summary>
    public TimeSpan ResendWindow { get; init; } = TimeSpan.FromHours(23);

    /// <summary>
    /// How long after the resend window an empty minute is still no proof: Stripe's summaries lag, by an unknown time.
    /// </summary>
    public TimeSpan SettleTime { get; init; } = TimeSpan.FromHours(24);

    /// <summary>From when an intent is asked for in Stripe's summaries until it is asked for again; doubles each time.</summary>
    public TimeSpan FirstReading { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Longest time between two readings for one intent. Stripe's read budget is small.</summary>
    public TimeSpan LongestReading { get; init; } = TimeSpan.FromHours(6);

    /// <summary>Accepted intents of one document that are looked for in Stripe's summaries at a time.</summary>
    public int MaximumChecks { get; init; } = 100;

    /// <summary>
    /// From the end of a period until its invoice is final, where no invoice event says when. Stripe's default is an hour.
    /// See https://docs.stripe.com/billing/subscriptions/usage-based/configure-grace-period.
    /// </summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long before an invoice is final nothing more is sent for it: for calls under way and for clocks that differ.</summary>
    public TimeSpan DeadlineMargin { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>What becomes of usage that can no longer be billed in its period.</summary>
    public CarryPolicy Carry { get; init; } = CarryPolicy.NextPeriod;

    /// <summary>
    /// How long nothing is minted after periods were cut otherwise: the counters of some come before those of others, and what
    /// is taken from one period is to be told in the next.
    /// </summary>
    public TimeSpan CutPatience { get; init; } = TimeSpan.FromSeconds(15);

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

    /// <summary>A refusal so long after the last one begins a new row.</summary>
    public TimeSpan RejectionMemory { get; init; } = TimeSpan.FromHours(24);
}

/// <summary>What becomes of usage that can no longer be billed in its period.</summary>
public enum CarryPolicy
{
    /// <summary>It is added to the period that runs then.</summary>
    NextPeriod,

    /// <summary>It stays where it is, unbilled and shown.</summary>
    AlertOnly,
}
