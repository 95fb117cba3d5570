using StripeMeter.Metering.Pricing.Comparing;
using StripeMeter.V1;
using CustomerChange = StripeMeter.Metering.Pricing.Comparing.CustomerChange;

namespace StripeMeter.Pricing.Comparing;

/// <summary>What a comparison tells, as messages.</summary>
internal static class WireComparisons
{
    /// <summary>Customers of one message.</summary>
    private const int Chunk = 500;

    public static async IAsyncEnumerable<ComparePricesResponse> RunAsync(RunningComparison running, bool summaryOnly)
    {
        var start = new ComparisonStart { Currency = running.Prices.Currency.Code };
        start.Metrics.AddRange(running.Metrics);
        yield return new ComparePricesResponse { Start = start };
        var (summary, changes) = (new ChangeSummary(), new CustomerChanges());
        await foreach (var change in running.Prices.CompareAsync(running.Usage).ConfigureAwait(false))
        {
            summary.Add(change);
            if (summaryOnly)
                continue;
            changes.Changes.Add(ToWire(change));
            if (changes.Changes.Count < Chunk)
                continue;
            yield return new ComparePricesResponse { Changes = changes };
            changes = new CustomerChanges();
        }

        if (changes.Changes.Count > 0)
            yield return new ComparePricesResponse { Changes = changes };
        yield return new ComparePricesResponse { Summary = ToWire(summary) };
    }

    private static ComparisonSummary ToWire(ChangeSummary summary)
    {
        var wire = new ComparisonSummary
        {
            Customers = summary.Customers, TotalBefore = summary.TotalBefore, TotalAfter = summary.TotalAfter, Winners = summary.Winners,
            Losers = summary.Losers, Unchanged = summary.Unchanged, NewlyCharged = summary.NewlyCharged,
        };
        wire.Distribution.AddRange(summary.Distribution.Select((customers, index) =>
        {
            var part = new ComparisonClass { Customers = customers };
            if (index < ChangeSummary.ClassEnds.Count)
                part.UpToPercent = ChangeSummary.ClassEnds[index];
            return part;
        }));
        wire.TopWinners.AddRange(summary.TopWinners.Select(ToWire));
        wire.TopLosers.AddRange(summary.TopLosers.Select(ToWire));
        return wire;
    }

    private static V1.CustomerChange ToWire(CustomerChange change) =>
        new() { CustomerRef = change.Customer, Before = change.Before, After = change.After, Difference = change.Difference };
}
