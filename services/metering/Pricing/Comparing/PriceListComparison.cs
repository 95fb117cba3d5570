using System.Runtime.CompilerServices;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pricing.Invoicing;
using StripeMeter.Metering.Pricing.Prices;

namespace StripeMeter.Metering.Pricing.Comparing;

/// <summary>
/// What if: runs recorded usage through two price lists. Customers are taken one at a time, so memory does not grow with
/// their number.
/// </summary>
public sealed class PriceListComparison
{
    private readonly PriceList _before;
    private readonly PriceList _after;
    private readonly BillingPeriod _period;

    /// <exception cref="PricingException">A price cannot be computed with, or the prices are in several currencies.</exception>
    public PriceListComparison(BillingPeriod period, PriceList before, PriceList after)
    {
        (_period, _before, _after) = (period, before, after);
        var currencies = before.Prices.Values.Concat(after.Prices.Values).Select(price => price.Currency).Distinct().ToArray();
        if (currencies.Length != 1)
            throw new PricingException(new PricingProblem("prices", "must all be in one currency, and there must be some"));
        Currency = currencies[0];
        foreach (var (name, list) in ((string, PriceList)[])[("before", before), ("after", after)])
        {
            foreach (var (metric, price) in list.Prices)
                price.Checked($"{name}.{metric}");
        }
    }

    public Currency Currency { get; }

    /// <exception cref="PricingException">What a customer used costs more than can be kept.</exception>
    public CustomerChange Compare(CustomerUsage usage) =>
        new(usage.Customer, Total(usage, _before), Total(usage, _after));

    /// <summary>Compares customer by customer, as they come.</summary>
    public async IAsyncEnumerable<CustomerChange> CompareAsync(
        IAsyncEnumerable<CustomerUsage> customers, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await foreach (var customer in customers.WithCancellation(cancellation).ConfigureAwait(false))
            yield return Compare(customer);
    }

    private long Total(CustomerUsage usage, PriceList list)
    {
        var items = new List<UsageItem>(usage.Quantities.Count);
        foreach (var (metric, quantity) in usage.Quantities)
        {
            if (list.Prices.TryGetValue(metric, out var price))
                items.Add(new UsageItem(metric, quantity, price));
        }

        return items.Count == 0 ? 0 : InvoiceSimulator.Simulate(usage.Customer, _period, items, list.Terms).Total;
    }
}

/// <summary>Prices by metric. A metric without a price costs nothing.</summary>
public sealed record PriceList(IReadOnlyDictionary<string, PriceModel> Prices)
{
    public InvoiceTerms Terms { get; init; } = InvoiceTerms.None;
}
