using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Reconciling;

/// <summary>
/// Periods that are to be compared. Those compared longest ago come first, so that when the read budget ends, the others
/// are first the next time; of too many the same ones are kept.
/// </summary>
internal sealed class WaitingPeriods(int limit)
{
    // The one compared last comes out first.
    private readonly PriorityQueue<(DeltaKey Key, Instant PeriodStart), long> _queue = new();

    /// <summary>How many there was no room for.</summary>
    public int LeftOut { get; private set; }

    /// <param name="key">The document.</param>
    /// <param name="periodStart">The period.</param>
    /// <param name="compared">When it was compared last; null if it never was.</param>
    public void Add(DeltaKey key, Instant periodStart, Instant? compared)
    {
        var order = -(compared ?? Instant.Minimum).Ticks;
        if (_queue.Count < limit)
        {
            _queue.Enqueue((key, periodStart), order);
            return;
        }

        _queue.EnqueueDequeue((key, periodStart), order);
        LeftOut++;
    }

    /// <summary>Takes all out, and answers them in their order.</summary>
    public IEnumerable<(DeltaKey Key, Instant PeriodStart)> OldestFirst()
    {
        var periods = new List<(DeltaKey, Instant)>(_queue.Count);
        while (_queue.TryDequeue(out var period, out _))
            periods.Add(period);
        periods.Reverse();
        return periods;
    }
}
