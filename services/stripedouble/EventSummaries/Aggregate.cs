using StripeMeter.StripeDouble.MeterEvents;
using StripeMeter.StripeDouble.Meters;

namespace StripeMeter.StripeDouble.EventSummaries;

/// <summary>What a meter makes of the events of one window.</summary>
internal readonly record struct Aggregate(long WindowStartSeconds, MeterValue Total, CountedEvent? Last)
{
    public Aggregate With(CountedEvent counted) => this with
    {
        Total = Total + counted.Value,
        // Of equal timestamps the one received last; Stripe does not say.
        Last = Last is { } last && (last.TimestampSeconds, last.Number).CompareTo((counted.TimestampSeconds, counted.Number)) > 0
            ? last
            : counted,
    };

    /// <summary>The value by the meter's formula. On a count meter every event carries 1.</summary>
    public MeterValue Value(Meter meter) => meter.Formula == Meter.Last ? Last?.Value ?? MeterValue.Zero : Total;
}
