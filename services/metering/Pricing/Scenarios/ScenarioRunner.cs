using StripeMeter.Metering.Pricing.Invoicing;
using StripeMeter.Metering.Pricing.Prices;
using StripeMeter.Metering.Pricing.Reading;

namespace StripeMeter.Metering.Pricing.Scenarios;

/// <summary>Computes the invoice of a scenario and compares it with what was expected.</summary>
public static class ScenarioRunner
{
    /// <exception cref="PricingException">The scenario cannot be computed.</exception>
    public static ScenarioResult Run(Scenario scenario)
    {
        var invoice = Invoices(scenario, split: false)[0];
        return new ScenarioResult(scenario, invoice, scenario.Expected is { } expected ? [.. Compare(scenario, expected, invoice)] : []);
    }

    /// <summary>The invoice of a scenario's inputs; when they may be split, one for each currency.</summary>
    /// <exception cref="PricingException">The scenario cannot be computed. The reasons name the fields of the document.</exception>
    public static IReadOnlyList<Invoice> Invoices(Scenario scenario, bool split)
    {
        try
        {
            return split
                ? InvoiceSimulator.SimulateByCurrency(scenario.Customer, scenario.Period, scenario.Items, scenario.Terms)
                : [InvoiceSimulator.Simulate(scenario.Customer, scenario.Period, scenario.Items, scenario.Terms)];
        }
        catch (PricingException refusal)
        {
            throw new PricingException([.. refusal.Problems.Select(problem => problem with { Path = "inputs." + problem.Path })]);
        }
    }

    private static IEnumerable<Difference> Compare(Scenario scenario, Expectation expected, Invoice invoice)
    {
        var comparison = new Comparison(scenario, invoice.Currency);
        foreach (var (field, wanted, actual) in ((string, decimal?, long)[])[
            ("total", expected.Total, invoice.Total), ("subtotal", expected.Subtotal, invoice.Subtotal),
            ("discounts", expected.Discounts, invoice.Discounts), ("credits", expected.Credits, invoice.Credits), ("tax", expected.Tax, invoice.Tax)])
        {
            if (comparison.OfAmount(field, wanted, actual) is { } difference)
                yield return difference;
        }

        if (expected.Currency is { } currency && !string.Equals(currency, invoice.Currency.Code, StringComparison.OrdinalIgnoreCase))
            yield return new Difference("currency", currency, invoice.Currency.Code, null);
        var lines = invoice.Lines.GroupBy(line => line.Metric).ToDictionary(group => group.Key, group => new Queue<InvoiceLine>(group));
        foreach (var wanted in expected.Lines)
        {
            foreach (var difference in comparison.OfLine(wanted, lines.GetValueOrDefault(wanted.Metric)))
                yield return difference;
        }
    }

    private sealed class Comparison(Scenario scenario, Currency currency)
    {
        public Difference? OfAmount(string field, decimal? expected, long actual) => Of(field, expected, InUnitsOfFile(actual));

        public IEnumerable<Difference> OfLine(ExpectedLine expected, Queue<InvoiceLine>? lines)
        {
            var field = $"lineItem.{expected.Metric}";
            if (lines is null || !lines.TryDequeue(out var line))
                return [new Difference(field, "a line", "none", null)];
            return OfLine(field, expected, line);
        }

        private IEnumerable<Difference> OfLine(string field, ExpectedLine expected, InvoiceLine line)
        {
            if (expected.Quantity is { } quantity && quantity != line.Item.Quantity)
                yield return new Difference(field + ".quantity", quantity.ToString(), line.Item.Quantity.ToString(), null);
            if (OfAmount(field + ".subtotal", expected.Subtotal, line.Amount) is { } subtotal)
                yield return subtotal;
            if (expected.UnitPrice is { } wanted && EffectivePrice(line) is { } effective
                && Of(field + ".unitPrice", wanted, decimal.Round(effective, wanted.Scale, MidpointRounding.AwayFromZero)) is { } unitPrice)
            {
                yield return unitPrice;
            }
        }

        private Difference? Of(string field, decimal? expected, decimal actual) =>
            expected is not { } wanted || scenario.Tolerance.Allows(wanted, actual)
                ? null : new Difference(field, ScenarioText.Of(wanted), ScenarioText.Of(actual), actual - wanted);

        /// <summary>
        /// What a unit came to; null when there was none. In the older shape, where all units have one price, that price,
        /// whatever the minimum or maximum of the line.
        /// </summary>
        private decimal? EffectivePrice(InvoiceLine line)
        {
            if (!line.Item.Quantity.IsPositive)
                return null;
            return scenario.IsClassic && line.Item.Price.Scheme is (PerUnitScheme or TieredScheme { Mode: TiersMode.Volume })
                ? AmountText.UnitsOf(line.Priced.Parts.First(part => part.Kind == ChargeKind.Units).UnitAmount, currency)
                : InUnitsOfFile(line.Amount) / ExactDecimal.Of(line.Item.Quantity);
        }

        private decimal InUnitsOfFile(long minorUnits) => scenario.IsClassic ? AmountText.UnitsOf(minorUnits, currency) : minorUnits;
    }
}

/// <summary>What came out of a scenario.</summary>
/// <param name="Scenario">What was run.</param>
/// <param name="Invoice">What it costs.</param>
/// <param name="Differences">From what was expected.</param>
public sealed record ScenarioResult(Scenario Scenario, Invoice Invoice, IReadOnlyList<Difference> Differences)
{
    /// <summary>Null when nothing was expected.</summary>
    public bool? Passed => Scenario.Expected is null ? null : Differences.Count == 0;
}

/// <summary>Something that is not as expected.</summary>
/// <param name="Field">Such as <c>total</c> or <c>lineItem.calls.subtotal</c>.</param>
/// <param name="Expected">What the file says.</param>
/// <param name="Actual">What came out.</param>
/// <param name="Amount">By how much, for amounts.</param>
public sealed record Difference(string Field, string Expected, string Actual, decimal? Amount)
{
    public override string ToString() => $"{Field}: expected {Expected}, got {Actual}";
}
