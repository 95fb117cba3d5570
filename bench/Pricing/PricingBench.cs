using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Comparing;
using StripeMeter.Metering.Pricing.Invoicing;
using StripeMeter.Metering.Pricing.Prices;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Bench.Pricing;

/// <summary>
/// What an invoice of ten lines costs to compute, and a comparison of two price lists over many customers, on one core.
/// Beside both the naive loop: the same tiers in plain decimals, which explains nothing and is not exact at every size.
/// </summary>
internal static class PricingBench
{
    private const int Lines = 10;
    private static readonly BillingPeriod Period = new(Instant.OfDate(2026, 1, 1), Instant.OfDate(2026, 2, 1));

    private static readonly PriceModel Price = new(new Currency("usd"), new TieredScheme(TiersMode.Graduated,
        [new PriceTier(Quantity.FromInteger(1_000), 0, 900), new PriceTier(Quantity.FromInteger(10_000), 3.6m), new PriceTier(null, 2.45m)]));

    /// <summary>Time of one invoice, and of the naive loop over its lines.</summary>
    public static (TimeSpan Invoice, TimeSpan Naive) MeasureInvoice(int invoices, TimeProvider clock)
    {
        UsageItem[] items = [.. Enumerable.Range(0, Lines).Select(line => new UsageItem($"m{line}", Usage(line), Price))];
        var invoice = Measure(invoices, clock, _ => InvoiceSimulator.Simulate("c", Period, items).Total);
        var naive = Measure(invoices, clock, _ => Enumerable.Range(0, Lines).Sum(line => Naive(500 + (1_234.5m * line))));
        return (invoice, naive);
    }

    /// <summary>Time to compare all customers, three metrics each, and of the naive loop over them.</summary>
    public static (TimeSpan Compared, TimeSpan Naive) MeasureWhatIf(int customers, TimeProvider clock)
    {
        string[] metrics = ["calls", "tokens", "storage"];
        var after = Price with { Minimum = 1_000 };
        var comparison = new PriceListComparison(
            Period, new PriceList(metrics.ToDictionary(metric => metric, _ => Price)), new PriceList(metrics.ToDictionary(metric => metric, _ => after)));
        var summary = new ChangeSummary();
        var compared = Measure(customers, clock, customer =>
        {
            var change = comparison.Compare(new CustomerUsage($"c{customer}", [.. metrics.Select((metric, index) => new MetricUsage(metric, Usage((customer + index) % 100)))]));
            summary.Add(change);
            return change.Difference;
        });
        var naive = Measure(customers, clock, customer => Enumerable.Range(0, 3).Sum(index =>
            Math.Max(1_000, Naive(500 + (1_234.5m * ((customer + index) % 100)))) - Naive(500 + (1_234.5m * ((customer + index) % 100)))));
        return (compared * customers, naive * customers);
    }

    private static TimeSpan Measure(int times, TimeProvider clock, Func<int, long> work)
    {
        var sum = 0L;
        for (var warmUp = 0; warmUp < times / 10; warmUp++)
            sum += work(warmUp);
        var started = clock.GetTimestamp();
        for (var time = 0; time < times; time++)
            sum += work(time);
        var elapsed = clock.GetElapsedTime(started);
        GC.KeepAlive(sum);
        return elapsed / times;
    }

    private static Quantity Usage(int number) => Quantity.FromInteger(500) + new Quantity(number * 1_234_500_000_000_000L);

    private static long Naive(decimal quantity)
    {
        var first = Math.Min(quantity, 1_000) * 0 + 900;
        var second = Math.Max(0, Math.Min(quantity, 10_000) - 1_000) * 3.6m;
        var third = Math.Max(0, quantity - 10_000) * 2.45m;
        return (long)(Math.Round(first, MidpointRounding.AwayFromZero) + Math.Round(second, MidpointRounding.AwayFromZero)
            + Math.Round(third, MidpointRounding.AwayFromZero));
    }
}
