using StripeMeter.Metering.Pricing.Invoicing;
using StripeMeter.Metering.Pricing.Prices;
using StripeMeter.Pricing.Tests.Kit;

namespace StripeMeter.Pricing.Tests.Prices;

/// <summary>The examples of Stripe's documentation, and one published invoice, to the cent.</summary>
public sealed class WorkedExampleTests
{
    private const string ThreeTiers = "5:700 10:650 inf:600";
    private const string FlatTiers = "5:500+1000 10:400+2000 15:300+3000 20:200+4000 inf:100+5000";

    [Theory]
    [InlineData("1", 700)]
    [InlineData("5", 3_500)]
    [InlineData("6", 3_900)]
    [InlineData("20", 12_000)]
    [InlineData("25", 15_000)]
    public void Volume_OfThreeTiers_IsStripesFigure(string quantity, long cents) =>
        Assert.Equal(cents, Make.Volume(ThreeTiers).Cost(quantity));

    [Theory]
    [InlineData("1", 700)]
    [InlineData("5", 3_500)]
    [InlineData("6", 4_150)]
    [InlineData("20", 12_750)]
    [InlineData("25", 15_750)]
    public void Graduated_OfThreeTiers_IsStripesFigure(string quantity, long cents) =>
        Assert.Equal(cents, Make.Graduated(ThreeTiers).Cost(quantity));

    [Theory]
    [InlineData(TiersMode.Volume, "12", 6_600)]
    [InlineData(TiersMode.Graduated, "12", 11_100)]
    [InlineData(TiersMode.Volume, "0", 1_000)]
    [InlineData(TiersMode.Graduated, "0", 1_000)]
    public void Tiers_WithFlatAmounts_AreStripesFigure(TiersMode mode, string quantity, long cents) =>
        Assert.Equal(cents, Make.Tiered(mode, FlatTiers).Cost(quantity));

    [Fact]
    public void FlatFee_WithUsageAboveWhatIsFree_Is180Dollars()
    {
        var fee = new UsageItem("platform", Make.Q("1"), Make.PerUnit(10_000));
        var usage = new UsageItem("calls", Make.Q("3000"), Make.Graduated("1000:0 inf:4"));

        Assert.Equal(18_000, Make.Invoice(InvoiceTerms.None, fee, usage).Total);
    }

    [Theory]
    [InlineData("8", true, 5_000)]
    [InlineData("8", false, 2_500)]
    [InlineData("5", true, 2_500)]
    [InlineData("0", true, 0)]
    [InlineData("4.999999999999", false, 0)]
    [InlineData("5.000000000001", true, 5_000)]
    public void Package_OfFive_IsMadeWhole(string quantity, bool roundUp, long cents) =>
        Assert.Equal(cents, Make.Package(2_500, 5, roundUp).Cost(quantity));

    /// <summary>An invoice of 2022: each tier's units and flat amount are lines of their own, each rounded alone.</summary>
    [Fact]
    public void Graduated_PublishedInvoice_HasItsLines()
    {
        var priced = UsagePricing.Price(Make.Graduated("1000:0+900 inf:3.6"), Make.Q("1031"));

        Assert.Equal(
            [(ChargeKind.Units, 1, "1000", 0L), (ChargeKind.Flat, 1, "1", 900L), (ChargeKind.Units, 2, "31", 112L)],
            priced.Parts.Select(part => (part.Kind, part.Tier ?? 0, part.Quantity.ToString(), part.Amount)));
        Assert.Equal(1_012, priced.Amount);
    }

    [Fact]
    public void HalfACent_GoesUp() => Assert.Equal(2, Make.PerUnit(0.05m).Cost("30"));

    [Fact]
    public void ZeroQuantity_WithAFirstTierOfOneUnit_IsFree() => Assert.Equal(0, Make.Graduated("1:1000 inf:5").Cost("0"));
}
