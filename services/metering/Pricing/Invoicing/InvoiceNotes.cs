using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Pricing.Invoicing;

/// <summary>Says what Stripe does not document, where it may change a figure.</summary>
public static class InvoiceNotes
{
    public static IEnumerable<string> Of(Currency currency, IReadOnlyList<InvoiceLine> lines, long total)
    {
        if (lines.Any(line => line.Amount % currency.ChargeStep != 0) || total % currency.ChargeStep != 0)
            yield return StepNote(currency);
        foreach (var line in lines.Where(line => line.Item.Quantity < Quantity.Zero))
            yield return $"{line.Metric}: usage below zero is billed as zero.";
    }

    /// <summary>What to know of an amount that Stripe does not charge as it stands.</summary>
    public static string StepNote(Currency currency) =>
        $"Stripe charges {currency} in steps of {currency.ChargeStep} minor units; how it rounds a line is not documented.";
}
