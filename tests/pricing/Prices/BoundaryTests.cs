using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Prices;
using StripeMeter.Metering.Quantities;
using StripeMeter.Pricing.Tests.Kit;

namespace StripeMeter.Pricing.Tests.Prices;

public sealed class BoundaryTests
{
    private const string Tiers = "10:3+100 20:2+200 inf:1+300";

    [Theory]
    [InlineData("0", 100)]
    [InlineData("1", 103)]
    [InlineData("9", 127)]
    [InlineData("10", 130)]
    [InlineData("10.5", 331)] // 30 + 100 + 0.5 × 2 + 200
    [InlineData("11", 332)]
    [InlineData("19", 348)]
    [InlineData("20", 350)]
    [InlineData("21", 651)]
    [InlineData("1000000000000000", 1_000_000_000_000_630)]
    public void Graduated_AtBounds_CrossesThemAfterTheBound(string quantity, long expected) =>
        Assert.Equal(expected, Make.Graduated(Tiers).Cost(quantity));

    [Theory]
    [InlineData("0", 100)]
    [InlineData("1", 103)]
    [InlineData("9", 127)]
    [InlineData("10", 130)]
    [InlineData("10.000000000001", 220)]
    [InlineData("11", 222)]
    [InlineData("20", 240)]
    [InlineData("21", 321)]
    [InlineData("1000000000000000", 1_000_000_000_000_300)]
    public void Volume_AtBounds_CrossesThemAfterTheBound(string quantity, long expected) =>
        Assert.Equal(expected, Make.Volume(Tiers).Cost(quantity));

    [Theory]
    [InlineData("30", "0.05", 2)] // 1.5: half goes up
    [InlineData("29", "0.05", 1)] // 1.45
    [InlineData("31", "3.6", 112)]
    [InlineData("1234.5", "0.2", 247)]
    [InlineData("0.5", "1", 1)]
    [InlineData("0.499999999999", "1", 0)]
    [InlineData("18059974", "0.0003", 5_418)]
    [InlineData("999999999999.999999", "0.000000000001", 1)]
    [InlineData("1", "0.000000000001", 0)]
    [InlineData("123456789012345.123456789012", "1000", 123_456_789_012_345_123)]
    [InlineData("9223372036854775807", "1", long.MaxValue)]
    [InlineData("9223372036854775807.499999999999", "1", long.MaxValue)]
    public void PerUnit_OfAnySize_IsExact(string quantity, string unitAmount, long expected) =>
        Assert.Equal(expected, Make.PerUnit(Make.D(unitAmount)).Cost(quantity));

    [Theory]
    [InlineData("9223372036854775807.5", "1")]
    [InlineData("99999999999999999999", "1")]
    [InlineData("99999999999999999999999999", "79228162514264337593543950335")]
    public void PerUnit_ThatDoesNotFit_IsRefused(string quantity, string unitAmount) =>
        Assert.Throws<OverflowException>(() => Make.PerUnit(Make.D(unitAmount)).Cost(quantity));

    [Fact]
    public void Usage_BelowZero_IsBilledAsZero()
    {
        Assert.Equal(0, Make.PerUnit(5).Cost("-3"));
        Assert.Equal(100, Make.Graduated(Tiers).Cost("-3"));
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("100", 0)]
    [InlineData("100.5", 1)]
    [InlineData("110", 20)]
    [InlineData("-5", 0)]
    public void IncludedQuantity_IsTakenOffFirst(string quantity, long expected) =>
        Assert.Equal(expected, (Make.PerUnit(2) with { IncludedQuantity = Quantity.FromInteger(100) }).Cost(quantity));

    [Fact]
    public void IncludedQuantity_IsTakenOffBeforeTiersAndPackages()
    {
        Assert.Equal(6_500, (Make.Volume("5:700 10:650 inf:600") with { IncludedQuantity = Quantity.FromInteger(10) }).Cost("20"));
        Assert.Equal(2_500, (Make.Package(2_500, 5) with { IncludedQuantity = Quantity.FromInteger(3) }).Cost("8"));
    }

    [Theory]
    [InlineData("0", 500, ChargeKind.Minimum)]
    [InlineData("499", 500, ChargeKind.Minimum)]
    [InlineData("500", 500, null)]
    [InlineData("800", 800, null)]
    [InlineData("801", 800, ChargeKind.Maximum)]
    public void MinimumAndMaximum_BoundTheLine_AndAreParts(string quantity, long expected, ChargeKind? last)
    {
        var priced = UsagePricing.Price(Make.PerUnit(1) with { Minimum = 500, Maximum = 800 }, Make.Q(quantity));

        Assert.Equal(expected, priced.Amount);
        Assert.Equal(expected, priced.Parts.Sum(part => part.Amount));
        Assert.Equal(last ?? ChargeKind.Units, priced.Parts[^1].Kind);
    }

    [Fact]
    public void Rounding_StripeRoundsEachTier_ClassicTheLine()
    {
        // 0.4 + 0.4 cents: nothing when each is rounded, a cent when their sum is.
        var price = Make.Graduated("1:0.4 inf:0.4");

        Assert.Equal(0, price.Cost("2"));
        Assert.Equal(1, price.Cost("2", Rounding.Classic));
        Assert.Equal(1, UsagePricing.Price(price, Make.Q("2"), Rounding.Classic).Parts.Sum(part => part.Amount));
    }

    [Fact]
    public void FlatAtZero_CanBeLeftOut()
    {
        var scheme = (TieredScheme)Make.Graduated("10:1+500 inf:1+900").Scheme with { ChargesFlatAtZero = false };
        var price = new PriceModel(Make.Usd, scheme);

        Assert.Equal(0, price.Cost("0"));
        Assert.Equal(501, price.Cost("1"));
    }
}
