using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pricing.Prices;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pricing.Invoicing;

/// <summary>
/// Writes the invoice that Stripe would write. Simulator, projection and reconciliation all ask this class, so they agree
/// to the cent.
/// </summary>
public static class InvoiceSimulator
{
    /// <summary>Most items of one invoice.</summary>
    public const int MaximumItems = 10_000;

    /// <param name="customer">Whose invoice it is.</param>
    /// <param name="period">The billing period.</param>
    /// <param name="usageItems">What was used, by which prices.</param>
    /// <param name="terms">Discounts, credits, tax; none by default.</param>
    /// <exception cref="PricingException">Something cannot be computed with, prices are in several currencies, or an amount does not fit into 64 bits.</exception>
    public static Invoice Simulate(
        string customer, BillingPeriod period, IReadOnlyList<UsageItem> usageItems, InvoiceTerms? terms = null)
    {
        var rules = terms ?? InvoiceTerms.None;
        var problems = InvoiceProblems.Of(period, usageItems, rules).ToArray();
        if (problems.Length > 0)
            throw new PricingException(problems);
        if (usageItems.Count == 0)
            throw new PricingException(new PricingProblem("usageItems", "must not be empty"));
        var currency = usageItems[0].Price.Currency;
        if (usageItems.Any(item => item.Price.Currency != currency))
            throw new PricingException(new PricingProblem("usageItems", $"are in several currencies ({CurrenciesOf(usageItems)}), which cannot be added"));
        return Write(customer, period, currency, usageItems, rules);
    }

    /// <summary>One invoice for each currency, in the order in which they come first.</summary>
    /// <exception cref="PricingException">As above; or there are amounts of which nobody says which invoice they belong to.</exception>
    public static IReadOnlyList<Invoice> SimulateByCurrency(
        string customer, BillingPeriod period, IReadOnlyList<UsageItem> usageItems, InvoiceTerms? terms = null)
    {
        var rules = terms ?? InvoiceTerms.None;
        var groups = usageItems.GroupBy(item => item.Price.Currency).ToArray();
        if (groups.Length > 1 && (rules.Commitments.Count > 0 || rules.Credits.Count > 0 || rules.Discounts.Any(discount => discount.AmountOff > 0)))
            throw new PricingException(new PricingProblem("usageItems", "are in several currencies, and amounts are to be taken off: nobody says of which"));
        return groups.Length > 1
            ? [.. groups.Select(group => Simulate(customer, period, [.. group], rules))]
            : [Simulate(customer, period, usageItems, rules)];
    }

    private static Invoice Write(
        string customer, BillingPeriod period, Currency currency, IReadOnlyList<UsageItem> items, InvoiceTerms terms)
    {
        try
        {
            var lines = Joined(items).Select(item => Line(item, period, terms.Rounding)).ToArray();
            var subtotal = lines.Sum(line => line.Amount);
            var (steps, total) = InvoiceSteps.Of(terms, period, subtotal);
            return new Invoice(customer, period, currency, lines, steps)
            {
                Subtotal = subtotal,
                Total = total,
                Rounding = terms.Rounding,
                Notes = [.. InvoiceNotes.Of(currency, lines, total)],
            };
        }
        catch (OverflowException)
        {
            throw new PricingException(new PricingProblem("usageItems", "cost more than can be kept (64 bits of minor units)"));
        }
    }

    private static InvoiceLine Line(UsageItem item, BillingPeriod period, Rounding rounding)
    {
        var share = ShareOf(item, period);
        try
        {
            return new InvoiceLine(item, UsagePricing.Price(item.Price, item.Quantity, rounding, share), share);
        }
        catch (OverflowException)
        {
            throw new PricingException(new PricingProblem("usageItems", $"cost more than can be kept (64 bits of minor units): {item.Metric}"));
        }
    }

    /// <summary>
    /// Metered usage of one metric by one price is one line, as Stripe bills it, however it was split: tiers begin once.
    /// </summary>
    private static IEnumerable<UsageItem> Joined(IReadOnlyList<UsageItem> items)
    {
        if (items.Count == 1 || items.All(item => item.From is null && item.To is null))
            return items;
        return items.GroupBy(item => item.Prorated ? new object() : (item.Metric, item.Price)).Select(Join);
    }

    private static UsageItem Join(IGrouping<object, UsageItem> parts)
    {
        var first = parts.First();
        return first with
        {
            Quantity = parts.Aggregate(Quantities.Quantity.Zero, (sum, part) => sum + part.Quantity),
            From = parts.Any(part => part.From is null) ? null : parts.Min(part => part.From),
            To = parts.Any(part => part.To is null) ? null : parts.Max(part => part.To),
        };
    }

    private static PeriodShare ShareOf(UsageItem item, BillingPeriod period)
    {
        if (!item.Prorated)
            return PeriodShare.Whole;
        var from = Instant.Max(item.From ?? period.Start, period.Start);
        var to = Instant.Min(item.To ?? period.End, period.End);
        return new PeriodShare(Math.Max(0, (to - from).Ticks), (period.End - period.Start).Ticks);
    }

    private static string CurrenciesOf(IReadOnlyList<UsageItem> items) =>
        string.Join(", ", items.Select(item => item.Price.Currency.Code).Distinct().Order());
}
