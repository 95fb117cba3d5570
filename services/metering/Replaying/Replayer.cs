using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Replaying;

/// <summary>Which late events to look at.</summary>
/// <param name="Metrics">Empty: every metric.</param>
/// <param name="From">Inclusive, on their timestamps.</param>
/// <param name="To">Inclusive.</param>
public sealed record ReplayRange(IReadOnlyCollection<string> Metrics, Instant From, Instant To);

/// <summary>What counting the pending late events of one metric changes.</summary>
public sealed record MetricChange(string Metric, int LateEvents, Quantity Delta, IReadOnlyList<string> Customers);

/// <summary>A page of a replay.</summary>
/// <param name="Changes">By metric, in the order of their names.</param>
/// <param name="Appended">What is new in the ledger; null if nothing was to be applied.</param>
/// <param name="Newest">Newest timestamp looked at.</param>
/// <param name="Next">Where the next page begins; null if the range is done.</param>
public sealed record ReplayPage(
    IReadOnlyList<MetricChange> Changes, AppendedControls? Appended, Instant? Newest, EventCursor? Next)
{
    internal IReadOnlyList<LedgerRecord> Pending { get; init; } = [];
}

/// <summary>
/// Looks at the late events of a range in the order of their timestamps and says what counting them would change; and
/// approves them. What was approved or reverted before is passed over, so applying again changes nothing; events that come
/// meanwhile are met, or left to the next replay.
/// </summary>
public sealed class Replayer(ILedger ledger, TimeProvider clock)
{
    /// <summary>Looks at as many late events as <paramref name="limit"/> says.</summary>
    public async Task<ReplayPage> ReadAsync(ReplayRange range, EventCursor? after, int limit, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(range);
        var query = new EventQuery
        {
            Metric = range.Metrics.Count == 1 ? range.Metrics.First() : null, From = range.From, To = range.To, Late = true,
            Ascending = true, After = after, Limit = limit,
        };
        var found = await ledger.QueryAsync(query, cancellation).ConfigureAwait(false);
        var pending = await PendingAsync(
            [.. found.Where(entry => range.Metrics.Count == 0 || range.Metrics.Contains(entry.Record.Metric))], cancellation)
            .ConfigureAwait(false);
        return new ReplayPage(
            ChangesOf(pending), null, found.Count > 0 ? found[^1].Record.Timestamp : null,
            found.Count < limit ? null : EventCursor.Of(found[^1], query.Order)) { Pending = pending };
    }

    /// <summary>Approves the late events of a page.</summary>
    public async Task<ReplayPage> ApproveAsync(ReplayPage page, string actor, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(page);
        var now = Instant.Of(clock.GetUtcNow());
        var approvals = page.Pending.Select(record => ControlRecords.LateEventApproved(record.Key, record.Event!, actor, now));
        return page with { Appended = await new ControlAppender(ledger).AppendAsync([.. approvals], cancellation).ConfigureAwait(false) };
    }

    /// <summary>Events of a metric in a range, also those that count.</summary>
    public Task<long> CountEventsAsync(string metric, ReplayRange range, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(range);
        return ledger.CountAsync(new EventQuery { Metric = metric, From = range.From, To = range.To }, cancellation);
    }

    private async Task<List<LedgerRecord>> PendingAsync(IReadOnlyList<LedgerEntry> late, CancellationToken cancellation)
    {
        var keys = late.SelectMany(entry => (RecordKey[])[ApprovalOf(entry.Record), RevertOf(entry.Record)]).ToArray();
        var settled = await ledger.FindAsync(keys, cancellation).ConfigureAwait(false);
        return [.. late.Select(entry => entry.Record)
            .Where(record => !settled.ContainsKey(ApprovalOf(record)) && !settled.ContainsKey(RevertOf(record)))];
    }

    private static IReadOnlyList<MetricChange> ChangesOf(List<LedgerRecord> pending) =>
    [
        .. pending.GroupBy(record => record.Metric).OrderBy(metric => metric.Key, StringComparer.Ordinal).Select(metric => new MetricChange(
            metric.Key, metric.Count(),
            metric.Aggregate(Quantity.Zero, (sum, record) => sum + record.Event!.Quantity),
            [.. metric.Select(record => record.Customer).Distinct().Order(StringComparer.Ordinal)])),
    ];

    private static RecordKey ApprovalOf(LedgerRecord late) =>
        new(KeySpace.Control, ControlRecords.ApprovalKey(RecordKind.LateEventApproved, late.Key));

    private static RecordKey RevertOf(LedgerRecord late) =>
        new(KeySpace.Control, ControlRecords.RevertKey(RecordKind.LateEventApproved, late.Key));
}
