using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Replaying;

/// <summary>A place in a rebuild: a series, and from when its records are still to be looked at.</summary>
public sealed record RebuildCursor(string Customer, string Metric, Instant From);

/// <summary>A page of a rebuild.</summary>
/// <param name="Appended">What is new in the ledger.</param>
/// <param name="Counters">Counters told to be counted anew, also if they had been told before.</param>
/// <param name="Next">Where the next page begins; null if all have been told.</param>
public sealed record RebuildPage(AppendedControls Appended, int Counters, RebuildCursor? Next);

/// <summary>
/// Has counters counted anew, each by a repair record. Finds them in the ledger, period by period of every series, so that
/// counters whose rows are missing are rebuilt too. Records of one rebuild carry its name and stand once.
/// </summary>
public sealed class Rebuilder(ILedger ledger, TimeProvider clock)
{
    /// <summary>Has as many counters counted anew as <paramref name="limit"/> says: of one customer, or of all.</summary>
    public async Task<RebuildPage> RepairAsync(
        string rebuildId, string? customer, RebuildCursor? after, int limit, string actor, CancellationToken cancellation)
    {
        var now = Instant.Of(clock.GetUtcNow());
        var repairs = new List<LedgerRecord>();
        var place = after ?? await NextSeriesAsync(customer, null, cancellation).ConfigureAwait(false);
        while (place is not null && repairs.Count < limit)
        {
            if (await NextPeriodAsync(place, cancellation).ConfigureAwait(false) is { } period)
            {
                repairs.Add(ControlRecords.CounterRepaired(rebuildId, place.Metric, place.Customer, period.Start, actor, now));
                place = place with { From = period.End };
            }
            else
            {
                place = await NextSeriesAsync(customer, place, cancellation).ConfigureAwait(false);
            }
        }

        var appended = await new ControlAppender(ledger).AppendAsync(repairs, cancellation).ConfigureAwait(false);
        return new RebuildPage(appended, repairs.Count, place);
    }

    private async Task<RebuildCursor?> NextSeriesAsync(string? customer, RebuildCursor? after, CancellationToken cancellation)
    {
        var query = new SeriesQuery
        {
            Customer = customer, After = after is null ? null : (after.Customer, after.Metric), Limit = 1,
        };
        var found = await ledger.SeriesAsync(query, cancellation).ConfigureAwait(false);
        return found.Count == 0 ? null : new RebuildCursor(found[0].Customer, found[0].Metric, Instant.Minimum);
    }

    /// <summary>The next period of a series that has records.</summary>
    private async Task<BillingPeriod?> NextPeriodAsync(RebuildCursor place, CancellationToken cancellation)
    {
        if (place.From == Instant.Maximum)
            return null;
        var query = new EventQuery
        {
            Customer = place.Customer, Metric = place.Metric, Controls = true, From = place.From, Ascending = true, Limit = 1,
        };
        var found = await ledger.QueryAsync(query, cancellation).ConfigureAwait(false);
        if (found.Count == 0)
            return null;
        var history = await AnchorHistory.ReadAsync(ledger, place.Customer, long.MaxValue, cancellation).ConfigureAwait(false);
        return history.PeriodOf(found[0].Record.Timestamp);
    }
}
