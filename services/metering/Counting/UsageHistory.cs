using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Counting;

/// <summary>How wide the buckets of a history are.</summary>
public enum HistoryStep
{
    Month = 1,
    Day = 2,
    Hour = 3,
    Minute = 4,
}

/// <summary>What was counted in one stretch of time.</summary>
public readonly record struct HistoryBucket(Instant Start, Aggregates Aggregates);

/// <summary>Folds a customer's events of one metric into buckets aligned to UTC, straight from the ledger.</summary>
public static class UsageHistory
{
    /// <summary>Buckets of one answer.</summary>
    public const int MaximumBuckets = 10_000;

    /// <summary>Buckets with at least one event in time, oldest first. Null if there would be more than <see cref="MaximumBuckets"/>.</summary>
    public static async Task<IReadOnlyList<HistoryBucket>?> ReadAsync(
        ILedger ledger, string metric, string customer, Instant from, Instant before, HistoryStep step,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        var buckets = new List<HistoryBucket>();
        if (before <= from)
            return buckets;
        var query = new EventQuery
        {
            Metric = metric, Customer = customer, From = from, To = new Instant(before.Ticks - 1), Ascending = true,
        };
        await foreach (var entry in CountedEvents.ReadAsync(ledger, query, cancellation).ConfigureAwait(false))
        {
            if (!TryAdd(buckets, entry.Record, step))
                return null;
        }

        return buckets;
    }

    private static bool TryAdd(List<HistoryBucket> buckets, LedgerRecord record, HistoryStep step)
    {
        var usage = record.Event!;
        var start = StartOf(usage.Timestamp, step);
        if (buckets.Count == 0 || buckets[^1].Start != start)
        {
            if (buckets.Count == MaximumBuckets)
                return false;
            buckets.Add(new HistoryBucket(start, Aggregates.Empty));
        }

        buckets[^1] = new HistoryBucket(start, buckets[^1].Aggregates.With(usage.Quantity, usage.Timestamp, record.Key));
        return true;
    }

    private static Instant StartOf(Instant instant, HistoryStep step)
    {
        var moment = instant.ToUtc();
        var start = step switch
        {
            HistoryStep.Month => new DateTime(moment.Year, moment.Month, 1, 0, 0, 0, DateTimeKind.Utc),
            HistoryStep.Day => moment.Date,
            HistoryStep.Hour => moment.Date.AddTicks(moment.Hour * TimeSpan.TicksPerHour),
            _ => moment.Date.AddTicks((moment.Hour * TimeSpan.TicksPerHour) + (moment.Minute * TimeSpan.TicksPerMinute)),
        };
        return Instant.Of(new DateTimeOffset(start, TimeSpan.Zero));
    }
}
