using StripeMeter.Metering.Pricing.Prices;
using StripeMeter.Pricing.Tests.Kit;

namespace StripeMeter.Pricing.Tests.Reading;

public sealed class PriceReaderTests
{
    [Fact]
    public void Read_StripesObject_IsTheModel()
    {
        var (price, problems) = Make.Read("""
            {'id': 'price_1', 'object': 'price', 'active': true, 'billing_scheme': 'tiered', 'currency': 'usd', 'nickname': null,
             'tiers_mode': 'graduated', 'type': 'recurring', 'recurring': {'usage_type': 'metered'}, 'unit_amount': null, 'transform_quantity': null,
             'tiers': [{'flat_amount': 900, 'flat_amount_decimal': '900', 'unit_amount': 0, 'unit_amount_decimal': '0', 'up_to': 1000},
                       {'flat_amount': null, 'unit_amount': null, 'unit_amount_decimal': '3.6', 'up_to': null}]}
            """);

        Assert.Empty(problems);
        Assert.Equal(Make.Graduated("1000:0+900 inf:3.6"), price);
    }

    [Fact]
    public void Read_PackagesAndBounds_IsTheModel()
    {
        var (price, problems) = Make.Read("""
            {'currency': 'USD', 'unit_amount': 2500, 'transform_quantity': {'divide_by': 5, 'round': 'down'},
             'included_quantity': 3, 'minimum': 100, 'maximum': 9000}
            """);

        Assert.Empty(problems);
        Assert.Equal(Make.Package(2500, 5, false) with { IncludedQuantity = Make.Q("3"), Minimum = 100, Maximum = 9000 }, price);
    }

    [Fact]
    public void Read_TwelveDecimals_AreKept()
    {
        var (price, _) = Make.Read("{'currency': 'usd', 'unit_amount_decimal': '0.000000000001'}");

        Assert.Equal(new PerUnitScheme(0.000000000001m), price!.Scheme);
    }

    [Theory]
    [InlineData("{'currency': 'usd'}", "unit_amount or unit_amount_decimal is required")]
    [InlineData("{'currency': 'xxx', 'unit_amount': 1}", "currency 'xxx' is not a currency that Stripe knows")]
    [InlineData("{'unit_amount': 1}", "currency is required")]
    [InlineData("{'currency': 'usd', 'unit_amount': 1.5}", "unit_amount must be whole")]
    [InlineData("{'currency': 'usd', 'unit_amount': -1}", "unit_amount must not be negative")]
    [InlineData("{'currency': 'usd', 'unit_amount_decimal': '0.0000000000001'}", "unit_amount_decimal has more than 12 decimals")]
    [InlineData("{'currency': 'usd', 'unit_amount_decimal': 'NaN'}", "unit_amount_decimal must be a number")]
    [InlineData("{'currency': 'usd', 'unit_amount_decimal': '1000000000000000'}", "unit_amount_decimal has more than 15 digits before the point")]
    [InlineData("{'currency': 'usd', 'unit_amount': 1, 'unit_amount_decimal': '2'}", "unit_amount differs from unit_amount_decimal")]
    [InlineData("{'currency': 'usd', 'unit_ammount': 1}", "unit_amount or unit_amount_decimal is required; unit_ammount is not known")]
    [InlineData("{'currency': 'usd', 'unit_amount': 1, 'billing_scheme': 'stepped'}", "billing_scheme must be per_unit or tiered")]
    [InlineData("{'currency': 'usd', 'unit_amount': 1, 'transform_quantity': {'divide_by': 0, 'round': 'up'}}", "transform_quantity.divide_by must be at least 1")]
    [InlineData("{'currency': 'usd', 'unit_amount': 1, 'minimum': 9, 'maximum': 8}", "maximum must not be below the minimum")]
    [InlineData("{'currency': 'usd', 'unit_amount': 1, 'included_quantity': -1}", "included_quantity must not be negative")]
    public void Read_BadPrice_NamesTheField(string json, string expected)
    {
        var (price, problems) = Make.Read(json);

        Assert.Equal((null, expected), (price, problems));
    }

    [Theory]
    [InlineData("", "tiers must be 1 to 1000")]
    [InlineData("{'up_to': 5, 'unit_amount': 1}", "tiers[0].up_to must be inf: the last tier has no bound")]
    [InlineData("{'up_to': 0, 'unit_amount': 1}, {'up_to': 'inf', 'unit_amount': 1}", "tiers[0].up_to must be above 0")]
    [InlineData("{'up_to': -2, 'unit_amount': 1}, {'unit_amount': 1}", "tiers[0].up_to must be above 0")]
    [InlineData("{'up_to': 5, 'unit_amount': 1}, {'up_to': 5, 'unit_amount': 1}, {'up_to': 'inf', 'unit_amount': 1}", "tiers[1].up_to must be above 5, where the tier before it ends")]
    [InlineData("{'up_to': 9, 'unit_amount': 1}, {'up_to': 5, 'unit_amount': 1}, {'up_to': 'inf', 'unit_amount': 1}", "tiers[1].up_to must be above 9, where the tier before it ends")]
    [InlineData("{'up_to': 'inf', 'unit_amount': 1}, {'up_to': 'inf', 'unit_amount': 1}", "tiers[0].up_to is without bound, but tiers follow")]
    [InlineData("{'up_to': 'inf'}", "tiers[0].unit_amount or flat_amount is required")]
    [InlineData("{'up_to': 'inf', 'flat_amount': -1}", "tiers[0].flat_amount must not be negative")]
    [InlineData("{'up_to': 'inf', 'unit_amount': 1, 'price': 3}", "tiers[0].price is not known")]
    [InlineData("{'up_to': 'infinite', 'unit_amount': 1}", "tiers[0].up_to must be a number")]
    public void Read_BadTiers_NamesTheField(string tiers, string expected)
    {
        var (price, problems) = Make.Read($$"""{'currency': 'usd', 'billing_scheme': 'tiered', 'tiers_mode': 'volume', 'tiers': [{{tiers}}]}""");

        Assert.Equal((null, expected), (price, problems));
    }
}
