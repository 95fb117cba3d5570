using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Counting;

/// <summary>
/// Adds up the records of one series in any order. Approvals wait until all are in, because their reverts may come later.
/// Periods that the records once fell in, before an anchor was changed, come out empty: whoever still counts by a former
/// anchor finds that the counter was emptied since.
/// </summary>
internal sealed class SeriesTally(EventSeries series, BillingPeriod range, AnchorHistory history)
{
    private readonly Dictionary<Instant, Entry> _entries = [];
    private readonly Dictionary<string, long?> _exclusions = [];
    private readonly List<Countable> _approvals = [];
    private readonly HashSet<(RecordKind Approval, string Subject)> _reverted = [];
    private readonly Dictionary<Instant, BillingPeriod> _formerPeriods = [];

    /// <summary>Learns which sessions of a page are excluded, and where.</summary>
    public async Task LearnAsync(
        IReadOnlyList<LedgerEntry> page,
        Func<IReadOnlyCollection<string>, CancellationToken, Task<IReadOnlyDictionary<string, long>>> find,
        CancellationToken cancellation)
    {
        var unknown = page.Select(entry => entry.Record.Session)
            .Where(session => session.Length > 0 && !_exclusions.ContainsKey(session)).Distinct().ToArray();
        if (unknown.Length == 0)
            return;
        var found = await find(unknown, cancellation).ConfigureAwait(false);
        foreach (var session in unknown)
            _exclusions[session] = found.TryGetValue(session, out var position) ? position : null;
    }

    /// <summary>Adds a record of a log that ends at <paramref name="upTo"/>.</summary>
    public void Add(in Countable record, long upTo)
    {
        if (record.IsApproval)
        {
            _approvals.Add(record);
        }
        else if (record.IsRecut)
        {
            if (record.IsRevert)
                _reverted.Add((ApprovalOf(record.Kind), record.Control!.Subject));
            EntryOf(record).Recut(record.Position);
        }
        else if (record.Counts)
        {
            AddEvent(record, upTo);
        }
    }

    /// <summary>All counters that records fall in, also those in which nothing is left.</summary>
    public Dictionary<Instant, Counter> ToCounters(long upTo)
    {
        foreach (var approval in _approvals)
        {
            var entry = EntryOf(approval);
            if (!_reverted.Contains((approval.Kind, approval.Control!.Subject)))
                entry.Aggregates = entry.Aggregates.With(approval);
        }

        var counters = _entries.Values.ToDictionary(
            entry => entry.Period.Start, entry => ToCounter(entry.Period, entry.Aggregates, entry.RecutPosition));
        foreach (var (start, period) in _formerPeriods)
            counters.TryAdd(start, ToCounter(period, Aggregates.Empty, history.RecutOf(start)));
        return counters;

        Counter ToCounter(BillingPeriod period, Aggregates aggregates, long recutPosition) => new(
            new CounterKey(series.Metric, series.Customer, period.Start), period, aggregates, new CounterVersion(recutPosition, upTo));
    }

    /// <summary>An exclusion takes effect wherever the event stands; it re-cuts only what had counted the event before.</summary>
    private void AddEvent(in Countable record, long upTo)
    {
        var entry = EntryOf(record);
        var exclusion = record.Session.Length > 0 ? _exclusions[record.Session] : null;
        if (exclusion is not { } position || position > upTo)
            entry.Aggregates = entry.Aggregates.With(record);
        else if (record.Position < position)
            entry.Recut(position);
    }

    private Entry EntryOf(in Countable record)
    {
        for (var former = history.Before; former is not null; former = former.Before)
            NoteFormer(former.PeriodOf(record.Timestamp));
        var period = history.PeriodOf(record.Timestamp);
        if (_entries.TryGetValue(period.Start, out var entry))
            return entry;
        entry = new Entry(period);
        entry.Recut(history.RecutOf(period.Start));
        _entries.Add(period.Start, entry);
        return entry;
    }

    private void NoteFormer(BillingPeriod period)
    {
        if (range.Contains(period.Start))
            _formerPeriods[period.Start] = history.Now(period);
    }

    private static RecordKind ApprovalOf(RecordKind revert) =>
        revert == RecordKind.AdjustmentReverted ? RecordKind.AdjustmentApproved : RecordKind.LateEventApproved;

    private sealed class Entry(BillingPeriod period)
    {
        public BillingPeriod Period => period;

        public Aggregates Aggregates { get; set; } = Aggregates.Empty;

        public long RecutPosition { get; private set; }

        public void Recut(long position) => RecutPosition = Math.Max(RecutPosition, position);
    }
}
