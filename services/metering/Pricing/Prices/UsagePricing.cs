using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Pricing.Prices;

/// <summary>
/// Prices usage as Stripe does, exactly until it is rounded. Usage below zero is billed as zero, as Stripe bills it
/// (https://docs.stripe.com/billing/subscriptions/usage-based/meters/configure).
/// </summary>
public static class UsagePricing
{
    /// <param name="price">A price without problems.</param>
    /// <param name="usage">The usage of the period.</param>
    /// <param name="rounding">Where to round.</param>
    /// <param name="share">How much of the period is billed.</param>
    /// <exception cref="OverflowException">An amount does not fit into 64 bits.</exception>
    public static PricedUsage Price(
        PriceModel price, Quantity usage, Rounding rounding = Rounding.Stripe, PeriodShare? share = null)
    {
        var time = share ?? PeriodShare.Whole;
        var used = Quantity.Max(usage, Quantity.Zero);
        var included = Quantity.Min(used, price.IncludedQuantity);
        var billed = used - included;
        var parts = new List<LinePart>();
        if (included.IsPositive)
            parts.Add(new LinePart(ChargeKind.Included, null, included, 0, ExactAmount.Zero, 0));

        var (exact, sum) = (ExactAmount.Zero, 0L);
        foreach (var charge in price.Scheme.ChargesOf(billed))
        {
            var amount = charge.Amount;
            var rounded = time.Of(amount);
            parts.Add(new LinePart(charge.Kind, charge.Tier, charge.Quantity, charge.UnitAmount, amount, rounded));
            (exact, sum) = (exact + amount, checked(sum + rounded));
        }

        if (rounding == Rounding.Classic)
            sum = Adjust(parts, ChargeKind.Rounding, sum, time.Of(exact));
        sum = Adjust(parts, ChargeKind.Minimum, sum, Math.Max(sum, time.Of(ExactAmount.Of(price.Minimum))));
        if (price.Maximum is { } maximum)
            sum = Adjust(parts, ChargeKind.Maximum, sum, Math.Min(sum, time.Of(ExactAmount.Of(maximum))));
        return new PricedUsage(usage, billed, parts, sum);
    }

    /// <summary>Adds the part that leads from one amount to another, if they differ.</summary>
    private static long Adjust(List<LinePart> parts, ChargeKind kind, long from, long to)
    {
        if (from == to)
            return to;
        var amount = checked(to - from);
        parts.Add(new LinePart(kind, null, Quantity.One, amount, ExactAmount.Of(amount), amount));
        return to;
    }
}
