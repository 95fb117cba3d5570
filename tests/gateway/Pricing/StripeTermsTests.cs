using Stripe;
using StripeMeter.Metering.Pricing.Prices;
using StripeMeter.Metering.Quantities;
using StripeMeter.Pricing.Prices;
using Xunit;

namespace StripeMeter.Gateway.Tests.Pricing;

/// <summary>Stripe's price object, as it comes over the wire, becomes a model without loss, or is refused by name.</summary>
public sealed class StripeTermsTests
{
    private const string Metered = "'id':'price_1','object':'price','currency':'usd','recurring':{'interval':'month','usage_type':'metered'}";

    [Fact]
    public void Of_TwelveDecimals_LosesNone()
    {
        var terms = Of($"{{{Metered},'billing_scheme':'per_unit','unit_amount':null,'unit_amount_decimal':'123456789.000000000001'}}");

        Assert.Equal(new PerUnitScheme(123_456_789.000000000001m), terms.Model!.Scheme);
    }

    [Fact]
    public void Of_Tiers_KeepsBoundsAndBothAmounts()
    {
        var terms = Of($$"""
            { {{Metered}},'billing_scheme':'tiered','tiers_mode':'volume','tiers':[
              {'flat_amount':900,'flat_amount_decimal':'900','unit_amount':null,'unit_amount_decimal':null,'up_to':1000},
              {'flat_amount':null,'flat_amount_decimal':'0.5','unit_amount':null,'unit_amount_decimal':'3.6','up_to':null}]}
            """);

        Assert.Equal(
            new TieredScheme(TiersMode.Volume, [new(Quantity.FromInteger(1_000), 0, 900), new(null, 3.6m, 0.5m)]), terms.Model!.Scheme);
    }

    [Theory]
    [InlineData("up", true)]
    [InlineData("down", false)]
    public void Of_Packages_KeepsTheDirection(string round, bool up)
    {
        var terms = Of($"{{{Metered},'billing_scheme':'per_unit','unit_amount':2500,'unit_amount_decimal':'2500','transform_quantity':{{'divide_by':5,'round':'{round}'}}}}");

        Assert.Equal(new PackageScheme(2_500, 5, up), terms.Model!.Scheme);
    }

    [Theory]
    [InlineData("'billing_scheme':'stepped','unit_amount_decimal':'1'", "billing scheme of the price is not known (stepped)")]
    [InlineData("'billing_scheme':'per_unit','custom_unit_amount':{'minimum':1}", "the customer chooses the amount")]
    [InlineData("'billing_scheme':'per_unit','unit_amount_decimal':'1','transform_quantity':{'divide_by':5,'round':'nearest'}", "rounding of the price's packages is not known (nearest)")]
    [InlineData("'billing_scheme':'per_unit'", "the price has no unit amount")]
    [InlineData("'billing_scheme':'tiered','tiers_mode':'stairs'", "mode of the price's tiers is not known (stairs)")]
    [InlineData("'billing_scheme':'tiered','tiers_mode':'volume'", "Stripe does not show the tiers")]
    [InlineData("'billing_scheme':'tiered','tiers_mode':'volume','transform_quantity':{'divide_by':5,'round':'up'},'tiers':[{'unit_amount':1}]", "both tiers and packages")]
    [InlineData("'billing_scheme':'tiered','tiers_mode':'volume','tiers':[{'unit_amount':1,'up_to':5}]", "tiers[0].up_to must be inf")]
    [InlineData("'billing_scheme':'per_unit','unit_amount_decimal':'-1'", "unit_amount must not be negative")]
    public void Of_WhatCannotBeRepresented_IsRefusedByName(string members, string reason)
    {
        var terms = Of($"{{{Metered},{members}}}");

        Assert.Null(terms.Model);
        Assert.Contains(reason, terms.UnpricedReason, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_LicensedPrice_IsRefusedByName() =>
        Assert.Contains("not metered", Of("{'currency':'usd','billing_scheme':'per_unit','unit_amount_decimal':'1','recurring':{'usage_type':'licensed'}}").UnpricedReason, StringComparison.Ordinal);

    private static PriceTerms Of(string json) => StripeTerms.Of(StripeEntity.FromJson<Price>(json.Replace('\'', '"')));
}
