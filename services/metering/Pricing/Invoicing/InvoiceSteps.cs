using System.Globalization;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Pricing.Invoicing;

/// <summary>Goes from the sum of the lines to what is to be paid.</summary>
internal sealed class InvoiceSteps(InvoiceTerms terms, BillingPeriod period, long subtotal)
{
    private readonly List<InvoiceStep> _steps = [];
    private long _left = subtotal;

    public static (IReadOnlyList<InvoiceStep> Steps, long Total) Of(InvoiceTerms terms, BillingPeriod period, long subtotal)
    {
        var walk = new InvoiceSteps(terms, period, subtotal);
        walk.Discount();
        walk.Commit();
        walk.Credit();
        walk.Tax();
        return (walk._steps, walk._left);
    }

    private void Discount()
    {
        foreach (var discount in terms.Discounts)
        {
            var off = discount.PercentOff is { } percent ? PercentOf(_left, percent) : discount.AmountOff ?? 0;
            Take(InvoiceStepKind.Discount, discount.Name, off);
        }
    }

    private void Commit()
    {
        foreach (var commitment in terms.Commitments.Where(IsActive))
        {
            if (!commitment.TrueUp)
                Take(InvoiceStepKind.Commitment, commitment.Name, Math.Max(0, checked(commitment.Amount - commitment.Applied)));
            else if (checked(commitment.Amount - commitment.Applied - _left) is > 0 and var missing)
                Add(InvoiceStepKind.TrueUp, commitment.Name, missing);
        }
    }

    private void Credit()
    {
        var usable = terms.Credits.Where(IsActive)
            .OrderBy(credit => credit.Priority).ThenBy(credit => credit.ExpiresAt is null).ThenBy(credit => credit.ExpiresAt ?? default);
        foreach (var credit in usable)
            Take(InvoiceStepKind.Credit, credit.Name, credit.Amount);
    }

    private void Tax()
    {
        if (terms.TaxRate != 0)
            Add(InvoiceStepKind.Tax, terms.TaxRate.ToString(CultureInfo.InvariantCulture) + " %", PercentOf(_left, terms.TaxRate));
    }

    /// <summary>Takes as much as is left, and says nothing when that is nothing.</summary>
    private void Take(InvoiceStepKind kind, string name, long amount)
    {
        if (Math.Min(amount, _left) is > 0 and var taken)
            Add(kind, name, -taken);
    }

    private void Add(InvoiceStepKind kind, string name, long amount)
    {
        _steps.Add(new InvoiceStep(kind, name, amount, _left));
        _left = checked(_left + amount);
    }

    private bool IsActive(Commitment commitment) =>
        (commitment.Start is not { } start || start < period.End) && (commitment.End is not { } end || end > period.Start);

    private bool IsActive(Credit credit) =>
        (credit.EffectiveAt is not { } start || start < period.End) && (credit.ExpiresAt is not { } end || end >= period.End);

    private static long PercentOf(long amount, decimal percent) =>
        ExactAmount.Product(Quantity.FromInteger(amount), percent).Round(1, 100);
}
