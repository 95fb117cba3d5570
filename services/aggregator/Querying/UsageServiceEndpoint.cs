using Grpc.Core;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;
using StripeMeter.V1;
using HistoryStep = StripeMeter.Metering.Counting.HistoryStep;

namespace StripeMeter.Aggregator.Querying;

/// <summary>Answers what a customer used, from projected rows and from the ledger.</summary>
public sealed class UsageServiceEndpoint(IMeterStore store, TimeProvider clock)
    : UsageService.UsageServiceBase
{
    private const int MaximumMetrics = 1_000;

    [Access(AccessKind.Read, Scopes.UsageRead, ForCustomers = true)]
    public override async Task<GetCurrentUsageResponse> GetCurrentUsage(
        GetCurrentUsageRequest request, ServerCallContext context)
    {
        var tenant = Requests.Tenant(request.TenantId);
        var customer = Requests.Customer(request.CustomerRef);
        var at = Requests.Time("at_time", request.AtTime) ?? Instant.Of(clock.GetUtcNow());
        var (ledger, projection) = (store.Of(tenant).Ledger, store.Of(tenant).Projection);
        var history = await AnchorHistory.ReadAsync(ledger, customer, long.MaxValue, context.CancellationToken).ConfigureAwait(false);
        var rows = await projection.ListAsync(
            new CounterQuery { Customer = customer, At = at, Limit = MaximumMetrics + 1 }, context.CancellationToken)
            .ConfigureAwait(false);
        if (rows.Count > MaximumMetrics)
            throw RpcErrors.OutOfRange($"The customer has more than {MaximumMetrics} metrics; list the counters instead.");
        var period = history.PeriodOf(at);
        var response = new GetCurrentUsageResponse
        {
            PeriodStart = period.Start.ToTimestamp(),
            PeriodEnd = period.End.ToTimestamp(),
        };
        // A counter of a period that an anchor has moved is empty, and may hold this instant beside the one that counts now.
        var current = rows.GroupBy(row => row.Counter.Key.Metric)
            .Select(metric => metric.FirstOrDefault(row => row.Counter.Key.PeriodStart == period.Start)
                ?? metric.FirstOrDefault(row => !row.Counter.Aggregates.IsEmpty) ?? metric.First());
        response.Counters.AddRange(current.Select(row => row.ToWire(tenant)));
        return response;
    }

    [Access(AccessKind.Read, Scopes.UsageRead, ForCustomers = true)]
    public override async Task<GetUsageHistoryResponse> GetUsageHistory(
        GetUsageHistoryRequest request, ServerCallContext context)
    {
        var tenant = Requests.Tenant(request.TenantId);
        var (customer, metric) = (Requests.Customer(request.CustomerRef), Requests.Metric(request.Metric));
        var from = Requests.RequiredTime("start_time", request.StartTime);
        var before = Requests.RequiredTime("end_time", request.EndTime);
        if (before < from)
            throw RpcErrors.Invalid("end_time", "must not be before start_time");
        var step = request.Step == V1.HistoryStep.Unspecified ? HistoryStep.Month : (HistoryStep)request.Step;
        if (!Enum.IsDefined(step))
            throw RpcErrors.Invalid("step", "is not known");
        var buckets = await UsageHistory.ReadAsync(
            store.Of(tenant).Ledger, metric, customer, from, before, step, context.CancellationToken).ConfigureAwait(false)
            ?? throw RpcErrors.OutOfRange(
                $"The history would have more than {UsageHistory.MaximumBuckets} buckets; ask for a shorter time or a longer step.");
        var response = new GetUsageHistoryResponse();
        response.Buckets.AddRange(buckets.Select(ToWire));
        return response;
    }

    private static UsageBucket ToWire(HistoryBucket bucket) => new()
    {
        StartTime = bucket.Start.ToTimestamp(),
        Sum = bucket.Aggregates.Sum.ToString(),
        Count = bucket.Aggregates.Count,
        Min = bucket.Aggregates.Min.ToString(),
        Max = bucket.Aggregates.Max.ToString(),
        Last = bucket.Aggregates.Last.ToString(),
    };
}
