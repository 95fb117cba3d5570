using System.Globalization;
using StripeMeter.Metering.Pricing.Prices;

namespace StripeMeter.Metering.Pricing.Invoicing;

/// <summary>Says for people how an amount comes about: quantity, tier, unit, flat, rounding.</summary>
public static class Explanation
{
    /// <summary>Such as <c>tier 2: 31 × 0.036 = 1.116, rounded to 1.12 usd</c>.</summary>
    public static string Of(LinePart part, Currency currency, PeriodShare share)
    {
        var amount = $"{AmountText.Of(part.Amount, currency)} {currency}";
        var unit = AmountText.OfUnit(part.UnitAmount, currency);
        var text = part.Kind switch
        {
            ChargeKind.Included => $"{part.Quantity} included",
            ChargeKind.Minimum => $"{amount} up to the minimum",
            ChargeKind.Maximum => $"{amount} down to the maximum",
            ChargeKind.Rounding => $"{amount} because the line is rounded once",
            ChargeKind.Flat => $"flat {unit}{Result(part, currency, share, amount)}",
            ChargeKind.Packages => $"{part.Quantity} packages × {unit}{Result(part, currency, share, amount)}",
            _ => $"{part.Quantity} × {unit}{Result(part, currency, share, amount)}",
        };
        return part.Tier is { } tier ? $"tier {tier.ToString(CultureInfo.InvariantCulture)}: {text}" : text;
    }

    /// <summary>A kind as JSON and tables spell it.</summary>
    public static string Word(ChargeKind kind) => kind.ToString().ToLowerInvariant();

    /// <summary>A step between subtotal and total.</summary>
    public static string Of(InvoiceStep step, Currency currency)
    {
        var (amount, before) = (AmountText.Of(step.Amount, currency), AmountText.Of(step.Base, currency));
        return step.Kind switch
        {
            InvoiceStepKind.Tax => $"tax {step.Name} of {before} = {amount} {currency}",
            InvoiceStepKind.TrueUp => $"{step.Name}: {before} raised to what was agreed by {amount} {currency}",
            _ => $"{step.Kind.ToString().ToLowerInvariant()} {step.Name}: {amount} of {before} {currency}",
        };
    }

    private static string Result(LinePart part, Currency currency, PeriodShare share, string amount)
    {
        var exact = AmountText.Exact(part.Exact, currency);
        if (!share.IsWhole)
            return $" = {exact}, for {Percent(share)} of the period: {amount}";
        if (!part.Exact.IsWhole)
            return $" = {exact}, rounded to {amount}";
        return part.Kind == ChargeKind.Flat ? $" {currency}" : $" = {amount}";
    }

    private static string Percent(PeriodShare share) =>
        decimal.Round(100m * share.Part / share.Period, 2).ToString(CultureInfo.InvariantCulture) + " %";
}
