using StripeMeter.Metering.Periods;

namespace StripeMeter.Metering.Pricing.Invoicing;

/// <summary>What is wrong with the inputs of an invoice, by the paths of the scenario format.</summary>
internal static class InvoiceProblems
{
    private const int MaximumPercentDecimals = 4;

    public static IEnumerable<PricingProblem> Of(BillingPeriod period, IReadOnlyList<UsageItem> items, InvoiceTerms terms)
    {
        if (period.End <= period.Start)
            yield return new PricingProblem("periodEnd", "must be after periodStart");
        if (items.Count > InvoiceSimulator.MaximumItems)
            yield return new PricingProblem("usageItems", $"must be at most {InvoiceSimulator.MaximumItems}");
        for (var index = 0; index < items.Count; index++)
        {
            foreach (var problem in OfItem(items[index], period))
                yield return problem with { Path = $"usageItems[{index}].{problem.Path}" };
        }

        foreach (var problem in OfTerms(terms))
            yield return problem;
    }

    private static IEnumerable<PricingProblem> OfItem(UsageItem item, BillingPeriod period)
    {
        foreach (var problem in item.Price.Problems())
            yield return problem with { Path = "price." + problem.Path };
        if (item.From < period.Start || item.From >= period.End)
            yield return new PricingProblem("from", "must lie in the period");
        if (item.To > period.End || item.To <= (item.From ?? period.Start))
            yield return new PricingProblem("to", "must lie in the period, after the start");
    }

    private static IEnumerable<PricingProblem> OfTerms(InvoiceTerms terms)
    {
        if (terms.TaxRate is < 0 or > 100 || terms.TaxRate.Scale > MaximumPercentDecimals)
            yield return new PricingProblem("taxRate", $"must be 0 to 100 with at most {MaximumPercentDecimals} decimals");
        foreach (var (index, discount) in terms.Discounts.Index())
        {
            if (DiscountProblem(discount) is { } reason)
                yield return new PricingProblem($"discounts[{index}]", reason);
        }

        foreach (var (index, commitment) in terms.Commitments.Index())
        {
            if (commitment.Amount < 0)
                yield return new PricingProblem($"commitments[{index}].amount", "must not be negative");
            if (commitment.Applied < 0 || commitment.Applied > commitment.Amount)
                yield return new PricingProblem($"commitments[{index}].applied", "must be 0 to the amount");
        }

        foreach (var (index, credit) in terms.Credits.Index())
        {
            if (credit.Amount < 0)
                yield return new PricingProblem($"credits[{index}].amount", "must not be negative");
            if (credit.Priority is < 0 or > 100)
                yield return new PricingProblem($"credits[{index}].priority", "must be 0 to 100");
        }
    }

    private static string? DiscountProblem(Discount discount)
    {
        if (discount.PercentOff is null == discount.AmountOff is null)
            return "must have a percentage or an amount";
        if (discount.PercentOff is <= 0 or > 100 || discount.PercentOff is { Scale: > MaximumPercentDecimals })
            return $"must take more than 0 and at most 100 percent, with at most {MaximumPercentDecimals} decimals";
        return discount.AmountOff < 0 ? "must not take a negative amount" : null;
    }
}
