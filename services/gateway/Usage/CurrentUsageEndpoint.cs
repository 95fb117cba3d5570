using StripeMeter.Gateway.Mappings;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Text;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Usage;

/// <summary>Limits and units of metrics, as they are configured.</summary>
public sealed class MetricFacts(GatewayOptions options)
{
    private readonly MetricTable<Quantity> _limits = new(options.UsageLimits, Quantity.Parse);
    private readonly MetricTable<string> _units = new(options.MetricUnits, static unit => unit);

    /// <summary>The usage allowed in a billing period; null: there is no limit.</summary>
    public Quantity? LimitOf(TenantId tenant, string metric, string customer) =>
        _limits.TryFind(tenant, metric, customer, out var limit) ? limit : null;

    /// <summary>What is counted; the metric's name unless it is configured.</summary>
    public string UnitOf(TenantId tenant, string metric) => _units.TryFind(tenant, metric, "", out var unit) ? unit! : metric;
}

/// <summary><c>GET /v1/usage/current</c>.</summary>
internal static class CurrentUsageEndpoint
{
    public static async Task<CurrentUsage> HandleAsync(
        HttpContext context, UsageService.UsageServiceClient usages, ActiveMappings mappings, MetricFacts facts, UsageAlerts alerts)
    {
        var query = new QueryReader(context);
        var request = new GetCurrentUsageRequest
        {
            TenantId = query.Text(CommonParameters.Tenant),
            CustomerRef = query.Text(CommonParameters.RequiredCustomer),
        };
        query.Check();

        var mapped = mappings.OfTenantAsync(request.TenantId, context.RequestAborted);
        var usage = await usages.GetCurrentUsageAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        var missing = alerts.OfCustomerAsync(request.TenantId, request.CustomerRef, usage, context.RequestAborted);
        var aggregations = await mapped.ConfigureAwait(false);
        var metrics = usage.Counters.Select(counter =>
            ToMetric(counter, aggregations.GetValueOrDefault(counter.Metric, Aggregation.Sum), facts, new TenantId(request.TenantId))).ToArray();
        return new CurrentUsage(
            request.CustomerRef, UsageEndpoints.ToPeriod(usage.PeriodStart, usage.PeriodEnd), metrics,
            [.. UsageAlerts.OfLimits(metrics), .. await missing.ConfigureAwait(false)]);
    }

    private static MetricUsage ToMetric(Counter counter, Aggregation aggregation, MetricFacts facts, TenantId tenant) => new(
        counter.Metric,
        Aggregates.Of(counter, aggregation),
        MappingWords.Of(aggregation),
        facts.UnitOf(tenant, counter.Metric),
        new ExactNumber(counter.Sum),
        counter.Count,
        ExactNumber.OfText(counter.Min),
        ExactNumber.OfText(counter.Max),
        ExactNumber.OfText(counter.Last),
        RestTime.Write(counter.Watermark),
        facts.LimitOf(tenant, counter.Metric, counter.CustomerRef) is { } limit ? new ExactNumber(limit.ToString()) : null);
}
