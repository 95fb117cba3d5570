using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Counting;

/// <summary>Bounds of counting anew.</summary>
public sealed record RecountOptions
{
    /// <summary>Records read at a time.</summary>
    public int PageRecords { get; init; } = 2_000;

    /// <summary>Work items of a shard done in one run.</summary>
    public int RunItems { get; init; } = 100;

    /// <summary>Series listed at a time.</summary>
    public int PageSeries { get; init; } = 100;

    /// <summary>How often one series is counted or followed before it is left to the next run.</summary>
    public int MaximumTries { get; init; } = 20;
}

/// <summary>
/// Does what re-cuts left to do in one shard: counts series anew, in pages and beside the actor, and has the actor install
/// each in one turn. A work item is removed when all its series are installed; whatever happens before, it is done again.
/// </summary>
public sealed class RecountRunner(
    int shard, ILedger ledger, IProjection projection, Func<Recount, CancellationToken, Task<InstallResult>> install,
    RecountOptions options)
{
    private readonly Recounter _recounter = new(shard, ledger, options.PageRecords);

    /// <summary>Does what there is to do. Returns how many work items are done.</summary>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        var done = 0;
        foreach (var item in await projection.RecountsAsync(shard, options.RunItems, cancellation).ConfigureAwait(false))
        {
            if (!await RunAsync(item, cancellation).ConfigureAwait(false))
                continue;
            await projection.CloseRecountAsync(shard, item, cancellation).ConfigureAwait(false);
            done++;
        }

        return done;
    }

    private async Task<bool> RunAsync(RecountItem item, CancellationToken cancellation)
    {
        var head = await ledger.HeadAsync(shard, cancellation).ConfigureAwait(false);
        // What another log left to do, that log's rows would have needed.
        if (head.LogId != item.LogId)
            return true;
        var scope = item.Scope;
        if (scope.Customer.Length > 0 && scope.Metric.Length > 0)
            return await InstallAsync(item, new EventSeries(scope.Customer, scope.Metric), cancellation).ConfigureAwait(false);
        var query = new SeriesQuery
        {
            Customer = scope.Customer.Length > 0 ? scope.Customer : null, Session = scope.Session.Length > 0 ? scope.Session : null,
            Shard = shard, Limit = options.PageSeries,
        };
        while (true)
        {
            var page = await ledger.SeriesAsync(query, cancellation).ConfigureAwait(false);
            foreach (var series in page)
            {
                if (!await InstallAsync(item, series, cancellation).ConfigureAwait(false))
                    return false;
            }

            if (page.Count < query.Limit)
                return true;
            query = query with { After = (page[^1].Customer, page[^1].Metric) };
        }
    }

    /// <summary>False if it has to be tried another time.</summary>
    private async Task<bool> InstallAsync(RecountItem item, EventSeries series, CancellationToken cancellation)
    {
        var stretch = await StretchAsync(item.Scope, series, cancellation).ConfigureAwait(false);
        Recount? recount = null;
        for (var attempt = 0; attempt < options.MaximumTries; attempt++)
        {
            recount ??= await CountAsync(item, series, stretch, cancellation).ConfigureAwait(false);
            if (recount is null)
                return false;
            var (outcome, folded) = await install(recount, cancellation).ConfigureAwait(false);
            if (outcome == InstallOutcome.Installed)
                return true;
            recount = outcome == InstallOutcome.Follow
                ? await _recounter.FollowAsync(recount, folded, cancellation).ConfigureAwait(false)
                : null;
        }

        return false;
    }

    /// <summary>Counts up to where the shard is projected; null if that is not behind the re-cut, since rows were deleted.</summary>
    private async Task<Recount?> CountAsync(
        RecountItem item, EventSeries series, BillingPeriod stretch, CancellationToken cancellation)
    {
        var progress = await projection.ProgressAsync(shard, cancellation).ConfigureAwait(false);
        return progress.LogId == item.LogId && progress.Position >= item.Recut
            ? await _recounter.CountAsync(item.LogId, series, stretch, progress.Position, cancellation).ConfigureAwait(false)
            : null;
    }

    /// <summary>From the first to the last of what is concerned.</summary>
    private async Task<BillingPeriod> StretchAsync(RecountScope scope, EventSeries series, CancellationToken cancellation)
    {
        if (scope.Session.Length == 0)
            return new BillingPeriod(scope.From, scope.To);
        var query = new EventQuery { Customer = series.Customer, Metric = series.Metric, Session = scope.Session, Limit = 1 };
        var last = await ledger.QueryAsync(query, cancellation).ConfigureAwait(false);
        var first = await ledger.QueryAsync(query with { Ascending = true }, cancellation).ConfigureAwait(false);
        return first.Count == 0
            ? new BillingPeriod(scope.From, scope.To)
            : new BillingPeriod(first[0].Record.Timestamp, new Instant(last[0].Record.Timestamp.Ticks + 1));
    }
}
