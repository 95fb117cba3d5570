using CsCheck;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Comparing;
using StripeMeter.Metering.Pricing.Invoicing;
using StripeMeter.Metering.Pricing.Prices;
using StripeMeter.Metering.Quantities;
using StripeMeter.Pricing.Tests.Kit;

namespace StripeMeter.Pricing.Tests.Comparing;

public sealed class PriceListComparisonTests
{
    private static readonly PriceList Before = List(("calls", Make.PerUnit(10)), ("seats", Make.PerUnit(500)));
    private static readonly PriceList After = List(("calls", Make.Graduated("100:0 inf:12")), ("seats", Make.PerUnit(400)));

    [Fact]
    public async Task Compare_EachCustomer_IsTheInvoiceByEitherList()
    {
        var changes = new List<CustomerChange>();
        await foreach (var change in new PriceListComparison(Make.January, Before, After).CompareAsync(Customers(), TestContext.Current.CancellationToken))
            changes.Add(change);

        Assert.Equal([new("light", 1_500, 800), new("heavy", 10_000, 10_800), new("idle", 0, 0)], changes);
    }

    [Fact]
    public void Summary_TellsWinnersLosersAndDistribution()
    {
        var summary = new ChangeSummary(shown: 2);
        foreach (var (before, after) in ((long, long)[])[(100, 50), (100, 75), (100, 76), (100, 100), (100, 110), (100, 111), (100, 201), (0, 5), (0, 0)])
            summary.Add(new CustomerChange($"c{before}-{after}", before, after));

        Assert.Equal((9, 3, 4, 2, 1), (summary.Customers, summary.Winners, summary.Losers, summary.Unchanged, summary.NewlyCharged));
        Assert.Equal((700, 728), (summary.TotalBefore, summary.TotalAfter));
        Assert.Equal([1L, 1, 1, 2, 1, 1, 0, 0, 1], summary.Distribution);
        Assert.Equal(["c100-50", "c100-75"], summary.TopWinners.Select(change => change.Customer));
        Assert.Equal(["c100-201", "c100-111"], summary.TopLosers.Select(change => change.Customer));
    }

    [Fact]
    public void Compare_SamePrices_ChangeNothing() =>
        Gen.Long[0, 1_000_000_000_000_000].Sample(units =>
            Assert.Equal(0, new PriceListComparison(Make.January, After, After).Compare(Usage("c", new Quantity(units), Quantity.One)).Difference));

    [Fact]
    public void Compare_SeveralCurrencies_AreRefused() =>
        Assert.Throws<PricingException>(() => new PriceListComparison(Make.January, Before, List(("calls", Make.PerUnit(1, "eur")))));

    [Fact]
    public void Compare_BadPrice_IsRefusedByItsPath() =>
        Assert.Contains("after.calls.tiers[0].up_to", Assert.Throws<PricingException>(() =>
            new PriceListComparison(Make.January, Before, List(("calls", Make.Graduated("5:1"))))).Message, StringComparison.Ordinal);

    private static async IAsyncEnumerable<CustomerUsage> Customers()
    {
        await Task.CompletedTask;
        yield return Usage("light", Quantity.FromInteger(50), Quantity.FromInteger(2));
        yield return Usage("heavy", Quantity.FromInteger(1_000), Quantity.Zero);
        yield return new CustomerUsage("idle", [new MetricUsage("unpriced", Quantity.One)]);
    }

    private static CustomerUsage Usage(string customer, Quantity calls, Quantity seats) =>
        new(customer, [new MetricUsage("calls", calls), new MetricUsage("seats", seats)]);

    private static PriceList List(params (string Metric, PriceModel Price)[] prices) =>
        new(prices.ToDictionary(price => price.Metric, price => price.Price)) { Terms = InvoiceTerms.None };
}
