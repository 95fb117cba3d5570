using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Periods;

/// <summary>A stretch of time that is billed as one: start inclusive, end exclusive.</summary>
public readonly record struct BillingPeriod(Instant Start, Instant End)
{
    public bool Contains(Instant instant) => instant >= Start && instant < End;

    public bool Overlaps(BillingPeriod other) => Start < other.End && other.Start < End;
}
