using System.Numerics;
using CsCheck;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Prices;
using StripeMeter.Metering.Quantities;
using StripeMeter.Pricing.Tests.Kit;

namespace StripeMeter.Pricing.Tests.Prices;

public sealed class PricePropertyTests
{
    private static readonly string[] Codes = ["usd", "jpy", "kwd"];
    private static readonly Gen<decimal> Amount =
        Gen.Select(Gen.Long[0, 999_999_999_999], Gen.Int[0, 12], (digits, scale) => new decimal(digits) / Power(scale));

    private static readonly Gen<Quantity> Usage = Gen.Long[0, 4_000_000_000_000_000].Select(units => new Quantity(units));

    private static readonly Gen<PriceTier[]> Tiers =
        Gen.Select(Gen.Int[1, 900], Amount, Amount, (width, unit, flat) => (width, unit, flat)).Array[1, 6].Select(Build);

    [Fact]
    public void PerUnit_AnyLine_IsTheNearestMinorUnit() =>
        Gen.Select(Gen.Long[0, 1_000_000_000_000_000_000], Gen.Long[0, 9_999_999_999], Gen.Int[0, 12]).Sample((units, mantissa, scale) =>
        {
            var unitAmount = new decimal(unchecked((int)mantissa), (int)(mantissa >> 32), 0, false, (byte)scale);
            var total = UsagePricing.Price(Make.PerUnit(unitAmount), new Quantity(units)).Amount;

            // |product - total| is at most half a minor unit, and half only rounds up.
            var one = BigInteger.Pow(10, 12 + scale);
            var distance = ((BigInteger)total * one) - ((BigInteger)units * mantissa);
            Assert.True(distance * 2 > -one && distance * 2 <= one);
        });

    [Fact]
    public void Graduated_MoreUsage_NeverCostsLess() =>
        Gen.Select(Tiers, Usage, Usage).Sample((tiers, left, right) =>
        {
            var price = Price(TiersMode.Graduated, tiers);

            Assert.True(Of(price, Quantity.Min(left, right)) <= Of(price, Quantity.Max(left, right)));
        });

    [Fact]
    public void VolumeAndGraduated_InTheFirstTier_Agree() =>
        Gen.Select(Tiers, Usage).Sample((tiers, usage) =>
        {
            var within = tiers[0].UpTo is { } bound ? Quantity.Min(bound, usage) : usage;

            Assert.Equal(Of(Price(TiersMode.Graduated, tiers), within), Of(Price(TiersMode.Volume, tiers), within));
        });

    [Fact]
    public void Graduated_AgainstTheNaiveLoop_IsTheSameBeforeRounding() =>
        Gen.Select(Tiers, Usage).Sample((tiers, usage) =>
        {
            var parts = UsagePricing.Price(Price(TiersMode.Graduated, tiers), usage).Parts;
            var exact = parts.Aggregate(ExactAmount.Zero, (sum, part) => sum + part.Exact);

            Assert.Equal(Naive(tiers, usage), exact);
        });

    [Fact]
    public void Tiers_OfOnePrice_CostWhatTheUnitCosts() =>
        Gen.Select(Gen.Int[1, 500], Amount, Usage).Sample((bound, unit, usage) =>
        {
            PriceTier[] tiers = [new(Quantity.FromInteger(bound), unit), new(null, unit)];

            Assert.Equal(
                UsagePricing.Price(Make.PerUnit(unit), usage).Amount,
                UsagePricing.Price(Price(TiersMode.Graduated, tiers), usage, Rounding.Classic).Amount);
        });

    [Fact]
    public void Parts_OfAnyLine_AddUpToIt() =>
        Gen.Select(Tiers, Usage, Gen.Long[0, 100_000], Gen.Bool.Select(once => once ? Rounding.Classic : Rounding.Stripe)).Sample((tiers, usage, minimum, rounding) =>
        {
            var price = Price(TiersMode.Graduated, tiers) with { Minimum = minimum, Maximum = minimum + 50_000 };
            var priced = UsagePricing.Price(price, usage, rounding);

            Assert.Equal(priced.Amount, priced.Parts.Sum(part => part.Amount));
            Assert.InRange(priced.Amount, minimum, minimum + 50_000);
        });

    /// <summary>A currency changes what a minor unit is worth, and no arithmetic.</summary>
    [Fact]
    public void Currency_OfAPrice_DoesNotChangeItsMinorUnits() =>
        Gen.Select(Tiers, Usage, Gen.Int[0, 2].Select(index => Codes[index])).Sample((tiers, usage, currency) =>
        {
            var price = Price(TiersMode.Graduated, tiers);

            Assert.Equal(Of(price, usage), Of(price with { Currency = new Currency(currency) }, usage));
        });

    [Fact]
    public void Package_OfOneUnit_IsTheUnitPriceOfWholeUnits() =>
        Gen.Select(Gen.Int[0, 1_000_000], Amount).Sample((units, unit) =>
            Assert.Equal(
                UsagePricing.Price(Make.PerUnit(unit), Quantity.FromInteger(units)).Amount,
                UsagePricing.Price(Make.Package(unit, 1), Quantity.FromInteger(units)).Amount));

    private static PriceModel Price(TiersMode mode, PriceTier[] tiers) => new PriceModel(Make.Usd, new TieredScheme(mode, tiers)).Checked();

    private static long Of(PriceModel price, Quantity usage) => UsagePricing.Price(price, usage).Amount;

    private static ExactAmount Naive(PriceTier[] tiers, Quantity usage)
    {
        var (sum, rest, from, first) = (ExactAmount.Zero, usage, Quantity.Zero, true);
        foreach (var tier in tiers)
        {
            if (!first && !rest.IsPositive)
                break;
            var width = tier.UpTo is { } bound ? bound - from : rest;
            var units = Quantity.Min(rest, width);
            sum = sum + ExactAmount.Product(units, tier.UnitAmount) + ExactAmount.Of(tier.FlatAmount);
            (rest, from, first) = (rest - units, tier.UpTo ?? from, false);
        }

        return sum;
    }

    private static PriceTier[] Build((int Width, decimal Unit, decimal Flat)[] drafts)
    {
        var bound = 0L;
        return [.. drafts.Select((draft, index) =>
        {
            bound += draft.Width;
            return new PriceTier(index == drafts.Length - 1 ? null : Quantity.FromInteger(bound), draft.Unit, draft.Flat);
        })];
    }

    private static decimal Power(int scale) => scale == 0 ? 1 : 10 * Power(scale - 1);
}
