using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Invoicing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Pricing.Credits;
using StripeMeter.Pricing.Prices;
using StripeMeter.V1;
using CustomerRule = StripeMeter.Metering.Mappings.CustomerRule;
using Mapping = StripeMeter.V1.Mapping;

namespace StripeMeter.Pricing.Projecting;

/// <summary>A customer's usage of a period on its way to an invoice: a line for every mapped metric, priced or not.</summary>
internal sealed class Projection
{
    private const string CurrencyWithoutMapping = "usd";

    private Projection(string customer, BillingPeriod period, Currency currency) => (Customer, Period, Currency) = (customer, period, currency);

    public string Customer { get; }

    public BillingPeriod Period { get; }

    public Currency Currency { get; }

    /// <summary>All lines, in the order of their metrics.</summary>
    public List<ProjectionLine> Lines { get; } = [];

    /// <summary>Those that have a price.</summary>
    public List<PricedLine> Priced { get; } = [];

    /// <summary>Timestamp of the newest event counted.</summary>
    public Google.Protobuf.WellKnownTypes.Timestamp? NewestEvent { get; private set; }

    /// <summary>When the newest counter was last counted.</summary>
    public Google.Protobuf.WellKnownTypes.Timestamp? Updated { get; private set; }

    /// <exception cref="Grpc.Core.RpcException">The prices are in several currencies.</exception>
    public static Projection Of(string customer, GetCurrentUsageResponse usage, IReadOnlyList<MappedPrice> mapped)
    {
        var projection = new Projection(customer, PeriodOf(usage), CurrencyOf(mapped));
        var counters = usage.Counters.ToDictionary(counter => counter.Metric);
        foreach (var (mapping, price) in mapped)
        {
            var counter = counters.GetValueOrDefault(mapping.Metric);
            var (item, line) = ProjectionLines.Of(mapping, counter, price);
            projection.Lines.Add(line);
            if (item is not null)
                projection.Priced.Add(new PricedLine(mapping, item, line));
            projection.NewestEvent = Newest(projection.NewestEvent, counter?.Watermark);
            projection.Updated = Newest(projection.Updated, counter?.ProjectedTime);
        }

        return projection;
    }

    /// <summary>The invoice of these quantities, one for each priced line; null when there is none.</summary>
    /// <exception cref="Grpc.Core.RpcException">It cannot be computed.</exception>
    public Invoice? Bill(IEnumerable<Quantity> quantities, IReadOnlyList<Credit> credits)
    {
        if (Priced.Count == 0)
            return null;
        try
        {
            return InvoiceSimulator.Simulate(
                Customer, Period, [.. Priced.Zip(quantities, (line, quantity) => line.Item with { Quantity = quantity })], new InvoiceTerms { Credits = credits });
        }
        catch (PricingException problem)
        {
            throw RpcErrors.FailedPrecondition("UNPRICEABLE", problem.Message);
        }
    }

    /// <summary>Whose credits may be taken off; null with a reason when that is not clear.</summary>
    public (CreditKey? Key, string Note) CreditKey()
    {
        var keys = Priced.Select(line => StripeCustomerOf(line.Mapping) is { } customer
            ? new CreditKey(line.Mapping.StripeAccount, customer) : (CreditKey?)null).Distinct().ToArray();
        return keys switch
        {
            [{ } only] => (only, ""),
            { Length: > 1 } => (null, "Credits are not counted: the metrics are billed to several Stripe customers."),
            _ => (null, ""),
        };
    }

    private string? StripeCustomerOf(Mapping mapping)
    {
        var rule = mapping.CustomerRule ?? new V1.CustomerRule();
        return new CustomerRule { Prefix = rule.Prefix, Table = rule.Table, TableOnly = rule.TableOnly }.StripeCustomerOf(Customer);
    }

    private static BillingPeriod PeriodOf(GetCurrentUsageResponse usage) =>
        usage.PeriodStart.TryToInstant(out var start) is null && usage.PeriodEnd.TryToInstant(out var end) is null
            ? new BillingPeriod(start, end)
            : throw RpcErrors.FailedPrecondition("NO_PERIOD", "The aggregator names no billing period.");

    /// <summary>The one currency of the prices. Amounts of several cannot be added.</summary>
    private static Currency CurrencyOf(IReadOnlyList<MappedPrice> mapped)
    {
        var currencies = mapped.Select(found => found.Price?.Terms?.Currency).OfType<Currency>().Distinct().ToArray();
        return currencies.Length switch
        {
            1 => currencies[0],
            0 => new Currency(mapped.Select(found => found.Mapping.Currency).FirstOrDefault(code => code.Length == 3, CurrencyWithoutMapping)),
            _ => throw RpcErrors.FailedPrecondition(
                "MIXED_CURRENCIES",
                $"The mapped prices are in {string.Join(" and ", currencies.Select(currency => currency.Code).Order())}: their amounts cannot be added."),
        };
    }

    private static Google.Protobuf.WellKnownTypes.Timestamp? Newest(
        Google.Protobuf.WellKnownTypes.Timestamp? left, Google.Protobuf.WellKnownTypes.Timestamp? right) =>
        left is null || (right is not null && right.CompareTo(left) > 0) ? right : left;
}

/// <summary>A line that has a price.</summary>
/// <param name="Mapping">Why it is billed.</param>
/// <param name="Item">What is billed.</param>
/// <param name="Line">What is answered.</param>
internal sealed record PricedLine(Mapping Mapping, UsageItem Item, ProjectionLine Line);
