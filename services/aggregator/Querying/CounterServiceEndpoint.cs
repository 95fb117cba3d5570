using Grpc.Core;
using StripeMeter.Aggregator.CounterShards;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;
using StripeMeter.V1;
using Counter = StripeMeter.V1.Counter;

namespace StripeMeter.Aggregator.Querying;

/// <summary>Reads counters: one live from its actor, many from the projected rows.</summary>
public sealed class CounterServiceEndpoint(IMeterStore store, CounterShardClient shards, WindowQueries queries)
    : CounterService.CounterServiceBase
{
    private const int DefaultPageSize = 100;
    private const int MaximumPageSize = 1_000;

    [Access(AccessKind.Read, Scopes.UsageRead)]
    public override async Task<Counter> GetCounter(GetCounterRequest request, ServerCallContext context)
    {
        var tenant = Requests.Tenant(request.TenantId);
        var (metric, customer) = (Requests.Metric(request.Metric), Requests.Customer(request.CustomerRef));
        Requests.Time("at_time", request.AtTime);
        var shardCount = await store.Of(tenant).Ledger.ShardCountAsync(context.CancellationToken).ConfigureAwait(false);
        var shard = new ShardId(tenant, Shards.Of(customer, shardCount));
        return await shards.ReadAsync(shard, request).ConfigureAwait(false)
            ?? throw RpcErrors.NotFound($"A counter of metric '{metric}' for customer '{customer}' in this period");
    }

    [Access(AccessKind.Read, Scopes.UsageRead)]
    public override async Task<ListCountersResponse> ListCounters(ListCountersRequest request, ServerCallContext context)
    {
        var tenant = Requests.Tenant(request.TenantId);
        Cursor? cursor = null;
        if (request.PageToken.Length > 0 && !PageToken.TryRead(request.PageToken, out cursor))
            throw RpcErrors.Invalid("page_token", "is not one that a listing gave");
        var size = Requests.PageSize(request.PageSize, DefaultPageSize, MaximumPageSize);
        var rows = await store.Of(tenant).Projection.ListAsync(
            new CounterQuery
            {
                Metric = request.Metric.Length > 0 ? request.Metric : null,
                Customer = request.CustomerRef.Length > 0 ? request.CustomerRef : null,
                At = Requests.Time("at_time", request.AtTime),
                After = cursor?.ToKey(),
                Limit = size + 1,
            },
            context.CancellationToken).ConfigureAwait(false);
        var response = new ListCountersResponse();
        response.Counters.AddRange(rows.Take(size).Select(row => row.ToWire(tenant)));
        if (rows.Count > size)
            response.NextPageToken = PageToken.Write(Cursor.Of(rows[size - 1].Counter.Key));
        return response;
    }

    [Access(AccessKind.Read, Scopes.UsageRead)]
    public override async Task<GetProgressResponse> GetProgress(GetProgressRequest request, ServerCallContext context)
    {
        var tenant = store.Of(Requests.Tenant(request.TenantId));
        var shardCount = await tenant.Ledger.ShardCountAsync(context.CancellationToken).ConfigureAwait(false);
        var response = new GetProgressResponse();
        for (var shard = 0; shard < shardCount; shard++)
        {
            // Read in this order, the projected position is never ahead of the head beside it.
            var progress = await tenant.Projection.ProgressAsync(shard, context.CancellationToken).ConfigureAwait(false);
            var head = await tenant.Ledger.HeadAsync(shard, context.CancellationToken).ConfigureAwait(false);
            response.Shards.Add(new V1.ShardProgress
            {
                Shard = shard,
                Head = head.Position,
                Projected = progress.LogId == head.LogId ? progress.Position : 0,
            });
        }

        return response;
    }

    [Access(AccessKind.Read, Scopes.UsageRead)]
    public override Task<QueryCountersResponse> QueryCounters(QueryCountersRequest request, ServerCallContext context) =>
        queries.AnswerAsync(request, context.CancellationToken);

    private sealed record Cursor(string Metric, string Customer, long PeriodStart)
    {
        public static Cursor Of(CounterKey key) => new(key.Metric, key.Customer, key.PeriodStart.Ticks);

        public CounterKey ToKey() => new(Metric, Customer, new Instant(PeriodStart));
    }
}
