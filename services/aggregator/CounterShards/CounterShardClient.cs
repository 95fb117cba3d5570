using Dapr.Actors.Client;
using Google.Protobuf;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.V1;

namespace StripeMeter.Aggregator.CounterShards;

/// <summary>Calls counter shards wherever Dapr has placed them.</summary>
public sealed class CounterShardClient(IActorProxyFactory proxies)
{
    public async Task<FoldResult> FoldAsync(ShardId shard, FoldRequest request) =>
        ToResult(await ProxyOf(shard).FoldAsync(request.ToByteArray()).ConfigureAwait(false));

    public async Task<FoldResult> CatchUpAsync(ShardId shard) =>
        ToResult(await ProxyOf(shard).CatchUpAsync().ConfigureAwait(false));

    public async Task<InstallResult> InstallAsync(ShardId shard, Recount recount)
    {
        var reply = await ProxyOf(shard).InstallAsync(recount.ToWire().ToByteArray()).ConfigureAwait(false);
        return new InstallResult((InstallOutcome)reply.Outcome, reply.Folded);
    }

    /// <summary>The counter as its actor holds it; null if nothing was counted.</summary>
    public async Task<V1.Counter?> ReadAsync(ShardId shard, GetCounterRequest request)
    {
        var counter = await ProxyOf(shard).ReadAsync(request.ToByteArray()).ConfigureAwait(false);
        return counter.Length == 0 ? null : V1.Counter.Parser.ParseFrom(counter);
    }

    private ICounterShard ProxyOf(ShardId shard) =>
        proxies.CreateActorProxy<ICounterShard>(CounterShardId.Of(shard), DaprNames.CounterShardActor);

    private static FoldResult ToResult(FoldReply reply) => new(reply.Folded, reply.Behind, reply.Counted);
}
