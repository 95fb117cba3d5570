using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Explaining;

/// <summary>Follows the records of one tenant: from an event to its counter, and from a counter back to its events.</summary>
public sealed class LedgerExplainer(ITenantStore tenant)
{
    /// <summary>What became of the event that stands under a key; null if there is none.</summary>
    public async Task<RecordTrail?> FindAsync(string key, CancellationToken cancellation)
    {
        var found = await tenant.Ledger.FindAsync([new RecordKey(KeySpace.Client, key)], cancellation).ConfigureAwait(false);
        return found.Values.FirstOrDefault() is { } entry
            ? (await TraceAsync([entry], cancellation).ConfigureAwait(false))[0]
            : null;
    }

    /// <summary>What became of events and approved adjustments, in their order.</summary>
    public async Task<IReadOnlyList<RecordTrail>> TraceAsync(IReadOnlyList<LedgerEntry> entries, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(entries);
        RecordKey[] keys = [.. entries.SelectMany(entry => (RecordKey?[])[ApprovalOf(entry), TakingBackOf(entry)]).OfType<RecordKey>().Distinct()];
        var found = await tenant.Ledger.FindAsync(keys, cancellation).ConfigureAwait(false);
        var histories = new Dictionary<string, AnchorHistory>();
        var trails = new List<RecordTrail>(entries.Count);
        foreach (var entry in entries)
        {
            var customer = entry.Record.Customer;
            if (!histories.TryGetValue(customer, out var history))
                histories.Add(customer, history = await HistoryAsync(customer, cancellation).ConfigureAwait(false));
            trails.Add(Trail(entry, history, found));
        }

        return trails;
    }

    /// <summary>The records of a counter, in the order of their timestamps.</summary>
    public async Task<TrailPage> ListAsync(
        EventSeries series, BillingPeriod period, EventCursor? after, int limit, CancellationToken cancellation)
    {
        var query = new EventQuery
        {
            Customer = series.Customer, Metric = series.Metric, Controls = true, From = period.Start,
            To = period.End == Instant.Maximum ? period.End : new Instant(period.End.Ticks - 1), Ascending = true, After = after,
            Limit = limit,
        };
        var found = await tenant.Ledger.QueryAsync(query, cancellation).ConfigureAwait(false);
        // What approves late events and takes back is told with what it concerns.
        var listed = found.Where(entry => entry.Record.Kind is RecordKind.Event or RecordKind.AdjustmentApproved).ToArray();
        return new TrailPage(
            await TraceAsync(listed, cancellation).ConfigureAwait(false),
            found.Count < limit ? null : EventCursor.Of(found[^1], query.Order));
    }

    /// <summary>The billing period of a customer that an instant falls in, by the anchors there are now.</summary>
    public async Task<BillingPeriod> PeriodAsync(string customer, Instant at, CancellationToken cancellation) =>
        (await HistoryAsync(customer, cancellation).ConfigureAwait(false)).PeriodOf(at);

    /// <summary>The projected counter of a series and period; null if there is none yet.</summary>
    public async Task<CounterRow?> CounterAsync(EventSeries series, BillingPeriod period, CancellationToken cancellation)
    {
        var key = new CounterKey(series.Metric, series.Customer, period.Start);
        return (await tenant.Projection.LoadAsync([key], cancellation).ConfigureAwait(false)).GetValueOrDefault(key);
    }

    private Task<AnchorHistory> HistoryAsync(string customer, CancellationToken cancellation) =>
        AnchorHistory.ReadAsync(tenant.Ledger, customer, long.MaxValue, cancellation);

    private static RecordTrail Trail(LedgerEntry entry, AnchorHistory history, IReadOnlyDictionary<RecordKey, LedgerEntry> found)
    {
        var approval = Find(ApprovalOf(entry));
        var takenBack = Find(TakingBackOf(entry));
        return new RecordTrail(entry, history.PeriodOf(entry.Record.Timestamp), Standing(), approval, takenBack);

        LedgerEntry? Find(RecordKey? key) => key is { } known ? found.GetValueOrDefault(known) : null;

        RecordStanding Standing()
        {
            if (takenBack is not null)
                return entry.Record.Session.Length > 0 ? RecordStanding.Excluded : RecordStanding.Reverted;
            if (!entry.Record.Late)
                return RecordStanding.Counted;
            return approval is null ? RecordStanding.Held : RecordStanding.Approved;
        }
    }

    private static RecordKey? ApprovalOf(LedgerEntry entry) =>
        entry.Record.Late ? Control(ControlRecords.ApprovalKey(RecordKind.LateEventApproved, entry.Record.Key)) : null;

    private static RecordKey? TakingBackOf(LedgerEntry entry)
    {
        var record = entry.Record;
        if (record.Kind == RecordKind.AdjustmentApproved)
            return Control(ControlRecords.RevertKey(record.Kind, record.Control!.Subject));
        if (record.Session.Length > 0)
            return Control(ControlRecords.ExclusionKey(record.Session, entry.Shard));
        return record.Late ? Control(ControlRecords.RevertKey(RecordKind.LateEventApproved, record.Key)) : null;
    }

    private static RecordKey Control(string key) => new(KeySpace.Control, key);
}
