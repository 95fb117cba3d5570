using Stripe;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Prices;
using StripeMeter.Metering.Quantities;
using TiersMode = StripeMeter.Metering.Pricing.Prices.TiersMode;

namespace StripeMeter.Pricing.Prices;

/// <summary>
/// Reads Stripe's price object without loss: https://docs.stripe.com/api/prices/object. What cannot be represented is
/// named, and its lines have no amount. Tiers must have been asked for: Stripe leaves them out unless expanded.
/// </summary>
public static class StripeTerms
{
    public static PriceTerms Of(Price price)
    {
        ArgumentNullException.ThrowIfNull(price);
        var currency = new Currency(price.Currency);
        if (Unsupported(price) is { } reason)
            return new PriceTerms(currency, null, reason);
        var model = new PriceModel(currency, SchemeOf(price));
        var problem = model.Problems().Select(found => $"the price's {found}").FirstOrDefault();
        return new PriceTerms(currency, problem is null ? model : null, problem);
    }

    private static string? Unsupported(Price price)
    {
        if (price.CustomUnitAmount is not null)
            return "the customer chooses the amount of the price";
        if (price.Recurring?.UsageType != "metered")
            return "the price is not metered: usage does not change it";
        return price.BillingScheme switch
        {
            "tiered" => UnsupportedTiers(price),
            "per_unit" => UnsupportedUnits(price),
            _ => $"the billing scheme of the price is not known ({price.BillingScheme})",
        };
    }

    private static string? UnsupportedTiers(Price price)
    {
        if (price.TiersMode is not ("graduated" or "volume"))
            return $"the mode of the price's tiers is not known ({price.TiersMode})";
        if (price.TransformQuantity is not null)
            return "the price has both tiers and packages";
        return price.Tiers is null ? "Stripe does not show the tiers of the price" : null;
    }

    private static string? UnsupportedUnits(Price price)
    {
        if (price.TransformQuantity is { Round: not ("up" or "down") } transform)
            return $"the rounding of the price's packages is not known ({transform.Round})";
        return price.UnitAmountDecimal is null ? "the price has no unit amount" : null;
    }

    private static BillingScheme SchemeOf(Price price)
    {
        if (price.BillingScheme == "tiered")
        {
            var mode = price.TiersMode == "volume" ? TiersMode.Volume : TiersMode.Graduated;
            return new TieredScheme(mode, [.. price.Tiers.Select(TierOf)]);
        }

        var unitAmount = price.UnitAmountDecimal!.Value;
        return price.TransformQuantity is { } transform
            ? new PackageScheme(unitAmount, transform.DivideBy, transform.Round == "up")
            : new PerUnitScheme(unitAmount);
    }

    private static Metering.Pricing.Prices.PriceTier TierOf(Stripe.PriceTier tier) => new(
        tier.UpTo is { } bound ? Quantity.FromInteger(bound) : null,
        tier.UnitAmountDecimal ?? tier.UnitAmount ?? 0,
        tier.FlatAmountDecimal ?? tier.FlatAmount ?? 0);
}
