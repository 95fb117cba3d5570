namespace StripeMeter.Metering.Pushing;

/// <summary>
/// How a meter is told. Its formula and window at Stripe decide it; they never change. The numbers are on disk.
/// See https://docs.stripe.com/billing/subscriptions/usage-based/meters/configure.
/// </summary>
public enum SinkKind
{
    /// <summary>A sum meter on which every event counts: told the difference. A value told twice would be billed twice.</summary>
    Deltas = 0,

    /// <summary>A sum meter that keeps the event received last in each UTC hour: told the hour's total anew.</summary>
    HourTotals = 1,

    /// <summary>The same by the UTC day.</summary>
    DayTotals = 2,

    /// <summary>A meter that bills the event with the newest timestamp: told the period's total, each later than the one before.</summary>
    RunningTotal = 3,

    /// <summary>
    /// A legacy subscription item, told the period's total as one usage record that is set anew. Whole units only: what is
    /// behind the point stays outstanding, and is carried when the period ends.
    /// </summary>
    UsageRecords = 4,
}

/// <summary>What a sink that overwrites was told last where the next value would overwrite it.</summary>
/// <param name="Start">Start of the hour or day; of the period for a running total; the timestamp of a usage record.</param>
/// <param name="Told">The value.</param>
/// <param name="Number">Number of the intent that told it.</param>
/// <param name="Stamp">Timestamp it has.</param>
public readonly record struct ToldSlot(Time.Instant Start, Quantities.Quantity Told, long Number, Time.Instant Stamp);
