using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Stores;

namespace StripeMeter.Metering.Backfilling;

/// <summary>What committing changes in one counter.</summary>
/// <param name="Key">The counter.</param>
/// <param name="Period">Its billing period.</param>
/// <param name="SumDelta">What its sum gains.</param>
/// <param name="CountDelta">Events it gains.</param>
/// <param name="Now">The counter as projected now; null if nothing was counted yet.</param>
public sealed record CounterChange(CounterKey Key, BillingPeriod Period, Quantity SumDelta, long CountDelta, Counter? Now);

/// <summary>What committing the staged events of a page would do.</summary>
/// <param name="Changes">By counter, in the order of metric, customer and period.</param>
/// <param name="Tally">What would become of the events.</param>
/// <param name="Next">Where the next page begins; null on the last.</param>
public sealed record BackfillPreview(IReadOnlyList<CounterChange> Changes, BackfillTally Tally, string? Next);

/// <summary>Says what committing a backfill would change, page by page of its staged events. Changes nothing.</summary>
public sealed class BackfillPreviewer(ITenantStore tenant)
{
    public async Task<BackfillPreview> ReadAsync(string backfill, string? after, int limit, CancellationToken cancellation)
    {
        var page = await BackfillRunner.ReadAsync(tenant, backfill, after ?? "", limit, cancellation).ConfigureAwait(false);
        var outcomes = await new BackfillOutlook(tenant, backfill).LookAsync(page, cancellation).ConfigureAwait(false);
        // What this backfill has appended already, because its commit is under way, changes nothing any more.
        var fresh = outcomes.Where(outcome => outcome.Status == IngestStatus.Accepted && outcome.Standing is null);
        return new BackfillPreview(
            await ChangesAsync([.. fresh.Select(outcome => outcome.Staged)], cancellation).ConfigureAwait(false),
            outcomes.Aggregate(default(BackfillTally), (tally, outcome) => tally + outcome.ToTally()),
            page.Count < limit ? null : page[^1].Id);
    }

    private async Task<IReadOnlyList<CounterChange>> ChangesAsync(IReadOnlyList<StagedEvent> events, CancellationToken cancellation)
    {
        var histories = new Dictionary<string, AnchorHistory>();
        foreach (var customer in events.Select(staged => staged.Event.Customer).Distinct())
            histories.Add(customer, await AnchorHistory.ReadAsync(tenant.Ledger, customer, long.MaxValue, cancellation).ConfigureAwait(false));
        var groups = events
            .GroupBy(staged => (staged.Event.Metric, staged.Event.Customer, Period: histories[staged.Event.Customer].PeriodOf(staged.Event.Timestamp)))
            .ToDictionary(group => new CounterKey(group.Key.Metric, group.Key.Customer, group.Key.Period.Start));
        var rows = await tenant.Projection.LoadAsync(groups.Keys, cancellation).ConfigureAwait(false);
        return
        [
            .. groups.OrderBy(group => group.Key.Metric, StringComparer.Ordinal).ThenBy(group => group.Key.Customer, StringComparer.Ordinal)
                .ThenBy(group => group.Key.PeriodStart)
                .Select(group => new CounterChange(
                    group.Key, group.Value.Key.Period,
                    group.Value.Aggregate(Quantity.Zero, (sum, staged) => sum + staged.Event.Quantity), group.Value.Count(),
                    rows.GetValueOrDefault(group.Key)?.Counter)),
        ];
    }
}
