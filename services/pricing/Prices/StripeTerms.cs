using Stripe;
using StripeMeter.Metering.Pricing;

namespace StripeMeter.Pricing.Prices;

/// <summary>
/// Reads the terms of Stripe's price object. Only prices by the unit are priced; every other model is named.
/// See https://docs.stripe.com/products-prices/pricing-models.
/// </summary>
public static class StripeTerms
{
    public static PriceTerms Of(Price price)
    {
        ArgumentNullException.ThrowIfNull(price);
        var currency = new Currency(price.Currency);
        var reason = Unsupported(price);
        return reason is null
            ? PriceTerms.PerUnit(currency, price.UnitAmountDecimal!.Value)
            : PriceTerms.Unpriced(currency, reason);
    }

    private static string? Unsupported(Price price)
    {
        if (price.BillingScheme == "tiered")
            return $"the price is tiered ({price.TiersMode}), which is not priced yet";
        if (price.TransformQuantity is not null)
            return "the price is by the package, which is not priced yet";
        if (price.CustomUnitAmount is not null)
            return "the customer chooses the amount of the price";
        if (price.Recurring?.UsageType != "metered")
            return "the price is not metered: usage does not change it";
        return price.UnitAmountDecimal is null ? "the price has no unit amount" : null;
    }
}
