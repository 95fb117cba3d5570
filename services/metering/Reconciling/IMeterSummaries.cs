using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Reconciling;

/// <summary>
/// What Stripe's meters hold, as its event summaries tell it. They lag behind what was accepted, by a time that Stripe
/// does not promise to bound. Every call counts against a small read budget.
/// </summary>
public interface IMeterSummaries
{
    /// <summary>The total from one minute to another; null if it cannot be read now.</summary>
    /// <param name="key">Customer and meter.</param>
    /// <param name="start">Inclusive, a whole minute.</param>
    /// <param name="end">Exclusive, a whole minute.</param>
    /// <param name="cancellation">Ends the call.</param>
    Task<Quantity?> TotalAsync(DeltaKey key, Instant start, Instant end, CancellationToken cancellation);

    /// <summary>The totals by the hour, empty hours perhaps left out; null if they cannot be read now. Bounds are whole hours.</summary>
    Task<IReadOnlyList<HourTotal>?> HoursAsync(DeltaKey key, Instant start, Instant end, CancellationToken cancellation);
}

/// <summary>What a meter holds of one hour.</summary>
public readonly record struct HourTotal(Instant Start, Quantity Value);
