using System.Runtime.CompilerServices;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Comparing;
using StripeMeter.Metering.Pricing.Prices;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;
using StripeMeter.Pricing.Prices;
using StripeMeter.Pricing.Projecting;
using StripeMeter.Pricing.Simulating;
using StripeMeter.V1;
using RecordedUsage = StripeMeter.V1.RecordedUsage;

namespace StripeMeter.Pricing.Comparing;

/// <summary>What if: runs the usage that the counters of a tenant hold, or that is sent along, through two price lists.</summary>
internal sealed class PriceComparisons(
    MappedPrices mapped, CounterService.CounterServiceClient counters, PricingOptions options, TimeProvider clock)
{
    private const string Before = "before_json";
    private const string After = "after_json";
    private const int MaximumSent = 10_000;

    /// <exception cref="Grpc.Core.RpcException">Something cannot be read or computed; nothing was answered yet.</exception>
    public async Task<RunningComparison> StartAsync(ComparePricesRequest request, CancellationToken cancellation)
    {
        SimulationFields.Tenant(request.TenantId);
        var at = request.AtTime is null ? Instant.Of(clock.GetUtcNow()) : TimeOf(request.AtTime);
        if (request.Usage.Count > MaximumSent)
            throw RpcErrors.Invalid("usage", $"must be at most {MaximumSent} customers");
        var after = ListOf(After, request.AfterJson);
        var current = await mapped.OfTenantAsync(request.TenantId, cancellation).ConfigureAwait(false);
        var before = request.BeforeJson.Length > 0 ? ListOf(Before, request.BeforeJson) : CurrentList(current);
        var metrics = before.Prices.Keys.Union(after.Prices.Keys).Order(StringComparer.Ordinal).ToArray();
        if (metrics.Length > options.MaximumLines)
            throw RpcErrors.OutOfRange($"The price lists name more than {options.MaximumLines} metrics.");
        var usage = request.Usage.Count > 0
            ? SentAsync([.. request.Usage.Select(Read)])
            : UsageMerge.ByCustomerAsync([.. metrics.Select(metric => new MetricSeries(
                metric, CountedAsync(request.TenantId, metric, AggregationOf(current, metric), at, cancellation)))], cancellation);
        return new RunningComparison(ComparisonOf(PeriodOf(at), before, after), metrics, usage);
    }

    private static PriceListComparison ComparisonOf(BillingPeriod period, PriceList before, PriceList after)
    {
        try
        {
            return new PriceListComparison(period, before, after);
        }
        catch (PricingException refusal)
        {
            throw SimulationFields.Refusal(After, refusal);
        }
    }

    /// <summary>Whole periods are compared, so it does not matter how long they are.</summary>
    private static BillingPeriod PeriodOf(Instant at) => PeriodAnchor.MonthStart.PeriodOf(at);

    private static Instant TimeOf(Google.Protobuf.WellKnownTypes.Timestamp time) =>
        time.TryToInstant(out var instant) is { } reason ? throw RpcErrors.Invalid("at_time", reason) : instant;

    private static PriceList ListOf(string field, string json)
    {
        try
        {
            return PriceListReader.Read(SimulationFields.Document(field, json));
        }
        catch (PricingException refusal)
        {
            throw SimulationFields.Refusal(field, refusal);
        }
    }

    /// <summary>The prices that are billed now. One that cannot be computed with would make the comparison wrong.</summary>
    private static PriceList CurrentList(IReadOnlyList<MappedPrice> current)
    {
        var prices = new Dictionary<string, PriceModel>();
        foreach (var (mapping, price) in current.Where(found => found.Mapping.PriceId.Length > 0))
        {
            prices.Add(mapping.Metric, price?.Terms?.Model ?? throw RpcErrors.FailedPrecondition(
                "UNPRICEABLE", $"The price of metric '{mapping.Metric}' cannot be computed with: {price?.Terms?.UnpricedReason ?? price?.Problem}."));
        }

        return prices.Count > 0 ? new PriceList(prices) : throw RpcErrors.Invalid(Before, "is required: the tenant maps no metric to a price");
    }

    private static Aggregation AggregationOf(IReadOnlyList<MappedPrice> current, string metric) =>
        current.FirstOrDefault(found => found.Mapping.Metric == metric)?.Mapping.Aggregation ?? Aggregation.Sum;

    private async IAsyncEnumerable<(string Customer, Quantity Quantity)> CountedAsync(
        string tenant, string metric, Aggregation aggregation, Instant at, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var request = new ListCountersRequest { TenantId = tenant, Metric = metric, AtTime = at.ToTimestamp(), PageSize = options.CounterPage };
        do
        {
            var page = await counters.ListCountersAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
            foreach (var counter in page.Counters)
                yield return (counter.CustomerRef, ProjectionLines.QuantityOf(counter, aggregation));
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
    }

    private static async IAsyncEnumerable<CustomerUsage> SentAsync(CustomerUsage[] usage)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        foreach (var customer in usage)
            yield return customer;
    }

    private static CustomerUsage Read(RecordedUsage sent, int index)
    {
        var field = $"usage[{index}]";
        if (sent.CustomerRef.Length == 0)
            throw RpcErrors.Invalid($"{field}.customer_ref", "is required");
        return new CustomerUsage(sent.CustomerRef, [.. sent.Quantities.Select(pair =>
            QuantityText.Read(pair.Value, out var quantity) == QuantityTextError.None
                ? new MetricUsage(pair.Key, quantity)
                : throw RpcErrors.Invalid($"{field}.quantities", $"of {pair.Key} must be a decimal of at most 15 integer digits and 12 decimals"))]);
    }
}

/// <summary>A comparison that can be run.</summary>
/// <param name="Prices">By which prices.</param>
/// <param name="Metrics">What has a price in one of the lists.</param>
/// <param name="Usage">The customers, as they come.</param>
internal sealed record RunningComparison(PriceListComparison Prices, IReadOnlyList<string> Metrics, IAsyncEnumerable<CustomerUsage> Usage);
