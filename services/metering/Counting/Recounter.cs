using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Counting;

/// <summary>Counts series anew, straight from the log of one shard, in pages.</summary>
public sealed class Recounter(int shard, ILedger ledger, int pageRecords)
{
    /// <summary>Counts the periods that overlap a stretch of time.</summary>
    public async Task<Recount> CountAsync(
        string logId, EventSeries series, BillingPeriod stretch, long upTo, CancellationToken cancellation)
    {
        var history = await AnchorHistory.ReadAsync(ledger, series.Customer, upTo, cancellation).ConfigureAwait(false);
        var range = new BillingPeriod(
            history.PeriodOf(stretch.Start).Start, history.PeriodOf(new Instant(stretch.End.Ticks - 1)).End);
        var tally = new SeriesTally(series, range, history);
        var query = new EventQuery
        {
            Customer = series.Customer, Metric = series.Metric, Controls = true, From = range.Start,
            To = range.End == Instant.Maximum ? range.End : new Instant(range.End.Ticks - 1), UpTo = upTo, Ascending = true,
            Limit = pageRecords,
        };
        while (true)
        {
            var page = await ledger.QueryAsync(query, cancellation).ConfigureAwait(false);
            await tally.LearnAsync(page, ExclusionsAsync, cancellation).ConfigureAwait(false);
            foreach (var entry in page)
                tally.Add(Countable.Of(new PositionedRecord(entry.Position, entry.Record)), upTo);
            if (page.Count < pageRecords)
                break;
            query = query with { After = EventCursor.Of(page[^1], query.Order) };
        }

        return new Recount(logId, series, range, upTo, tally.ToCounters(upTo));
    }

    /// <summary>
    /// Counts on from where a recount ended, reading the log as it comes: for the little that came in meanwhile. Null if
    /// a re-cut came that may concern it: then it starts again.
    /// </summary>
    public async Task<Recount?> FollowAsync(Recount recount, long target, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(recount);
        var history = await AnchorHistory.ReadAsync(ledger, recount.Series.Customer, recount.Position, cancellation).ConfigureAwait(false);
        var cancellations = new Cancellations(shard, ledger, int.MaxValue);
        var counters = new Dictionary<Instant, Counter>(recount.Counters);
        var reached = recount.Position;
        while (reached < target)
        {
            var limit = (int)Math.Min(pageRecords, target - reached);
            var page = await ledger.ReadAsync(shard, reached, limit, cancellation).ConfigureAwait(false);
            if (page.Count == 0 || page.Any(record => record.IsRecut && MayConcern(record, recount.Series)))
                return null;
            var counting = page.Where(record => record.Counts && IsOf(record, recount.Series)).ToList();
            await cancellations.PrepareAsync(counting, cancellation).ConfigureAwait(false);
            foreach (var record in counting)
            {
                var period = history.PeriodOf(record.Timestamp);
                if (recount.Range.Contains(record.Timestamp) && !cancellations.IsCancelled(record))
                    counters[period.Start] = (counters.GetValueOrDefault(period.Start) ?? NewCounter(period)).With(record);
            }

            reached = page[^1].Position;
        }

        return recount with
        {
            Position = target,
            Counters = counters.ToDictionary(
                counter => counter.Key, counter => counter.Value with { Version = counter.Value.Version with { Position = target } }),
        };

        Counter NewCounter(BillingPeriod period) =>
            Counter.Empty(new CounterKey(recount.Series.Metric, recount.Series.Customer, period.Start), period) with
            {
                Version = new CounterVersion(history.RecutOf(period.Start), recount.Position),
            };
    }

    private static bool IsOf(Countable record, EventSeries series) =>
        record.Customer == series.Customer && record.Metric == series.Metric;

    private static bool MayConcern(Countable recut, EventSeries series) => recut.Kind == RecordKind.SessionExcluded
        || (recut.Customer == series.Customer && (recut.Metric.Length == 0 || recut.Metric == series.Metric));

    /// <summary>Where sessions were excluded in this shard; those that were not are left out.</summary>
    private async Task<IReadOnlyDictionary<string, long>> ExclusionsAsync(
        IReadOnlyCollection<string> sessions, CancellationToken cancellation)
    {
        var keys = sessions.ToDictionary(session => new RecordKey(KeySpace.Control, ControlRecords.ExclusionKey(session, shard)));
        var found = await ledger.FindAsync(keys.Keys, cancellation).ConfigureAwait(false);
        return found.ToDictionary(exclusion => keys[exclusion.Key], exclusion => exclusion.Value.Position);
    }
}
