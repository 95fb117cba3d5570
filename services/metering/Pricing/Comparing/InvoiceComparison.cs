using StripeMeter.Metering.Pricing.Invoicing;
using StripeMeter.Metering.Pricing.Prices;
using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Pricing.Comparing;

/// <summary>A line of an invoice that Stripe wrote.</summary>
/// <param name="Id">Stripe's name of the line.</param>
/// <param name="Metric">Whose usage it bills, found by its price.</param>
/// <param name="Quantity">What it bills.</param>
/// <param name="Amount">Minor units.</param>
public sealed record BilledLine(string Id, string Metric, Quantity Quantity, long Amount);

/// <summary>Where two invoices disagree.</summary>
/// <param name="Metric">The metric of the line.</param>
/// <param name="LineId">Stripe's line; null when Stripe has none for it.</param>
/// <param name="Expected">Minor units; null when nothing was expected.</param>
/// <param name="Billed">Minor units; null when nothing was billed.</param>
/// <param name="Explanation">How the expected amount comes about; empty when nothing was expected.</param>
public sealed record LineDifference(string Metric, string? LineId, long? Expected, long? Billed, string Explanation);

/// <summary>
/// Compares the invoice of a closed period with the one that Stripe wrote. Stripe has a line for each part of ours (units
/// and flat amount of each tier); lines of nothing may be there or not, and parts may have been put together, as long as a
/// metric costs the same.
/// </summary>
public static class InvoiceComparison
{
    public static IReadOnlyList<LineDifference> Compare(Invoice expected, IReadOnlyList<BilledLine> billed)
    {
        var expectedParts = expected.Lines.SelectMany(line => line.Priced.Parts.Select(part => (line, part)))
            .Where(found => found.part.Amount != 0).ToLookup(found => found.line.Metric);
        var billedLines = billed.Where(line => line.Amount != 0).ToLookup(line => line.Metric);
        return
        [
            .. expectedParts.Select(group => group.Key).Union(billedLines.Select(group => group.Key))
                .SelectMany(metric => OfMetric(metric, expected.Currency, [.. expectedParts[metric]], [.. billedLines[metric]])),
        ];
    }

    private static IEnumerable<LineDifference> OfMetric(
        string metric, Currency currency, List<(InvoiceLine Line, LinePart Part)> expected, List<BilledLine> billed)
    {
        if (expected.Sum(found => found.Part.Amount) == billed.Sum(line => line.Amount))
            return [];

        // What agrees is set aside, first by quantity and amount, then by amount alone.
        Cancel(expected, billed, (part, line) => part.Amount == line.Amount && part.Quantity == line.Quantity);
        Cancel(expected, billed, (part, line) => part.Amount == line.Amount);
        return Pair(metric, currency, expected, billed);
    }

    private static IEnumerable<LineDifference> Pair(
        string metric, Currency currency, List<(InvoiceLine Line, LinePart Part)> expected, List<BilledLine> billed)
    {
        for (var index = 0; index < Math.Max(expected.Count, billed.Count); index++)
        {
            (InvoiceLine Line, LinePart Part)? mine = index < expected.Count ? expected[index] : null;
            var theirs = index < billed.Count ? billed[index] : null;
            var explanation = mine is { } found ? Explanation.Of(found.Part, currency, found.Line.Share) : "";
            yield return new LineDifference(metric, theirs?.Id, mine?.Part.Amount, theirs?.Amount, explanation);
        }
    }

    private static void Cancel(
        List<(InvoiceLine Line, LinePart Part)> expected, List<BilledLine> billed, Func<LinePart, BilledLine, bool> agree)
    {
        for (var index = expected.Count - 1; index >= 0; index--)
        {
            var match = billed.FindIndex(line => agree(expected[index].Part, line));
            if (match < 0)
                continue;
            expected.RemoveAt(index);
            billed.RemoveAt(match);
        }
    }
}
