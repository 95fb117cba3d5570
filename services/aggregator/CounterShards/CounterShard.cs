using Dapr.Actors.Runtime;
using Google.Protobuf;
using StripeMeter.Aggregator.Subscribing;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;
using StripeMeter.V1;

namespace StripeMeter.Aggregator.CounterShards;

/// <summary>Hosts the folder of one shard as a Dapr actor: one turn at a time, state saved by Dapr after each.</summary>
internal sealed class CounterShard : Actor, ICounterShard
{
    private readonly ShardId _shard;
    private readonly ShardFolder _folder;
    private readonly TimeProvider _clock;
    private readonly FoldInstruments _instruments;
    private readonly ChangeAnnouncer _announcer;

    public CounterShard(
        ActorHost host, IMeterStore store, TimeProvider clock, FoldingOptions options,
        FoldInstruments instruments, ChangeAnnouncer announcer) : base(host)
    {
        _shard = CounterShardId.Parse(host.Id);
        (_clock, _instruments, _announcer) = (clock, instruments, announcer);
        var tenant = store.Of(_shard.Tenant);
        _folder = new ShardFolder(
            _shard.Shard, tenant.Ledger, tenant.Projection, new ActorCounterState(StateManager, options, clock), clock,
            options.ToFoldOptions());
    }

    public async Task<FoldReply> FoldAsync(byte[] request)
    {
        var ranges = FoldRequest.Parser.ParseFrom(request).Ranges.Select(range => range.ToRange()).ToArray();
        return Report("message", await _folder.FoldAsync(ranges, CancellationToken.None).ConfigureAwait(false));
    }

    public async Task<FoldReply> CatchUpAsync() =>
        Report("catch_up", await _folder.CatchUpAsync(CancellationToken.None).ConfigureAwait(false));

    public async Task<InstallReply> InstallAsync(byte[] request)
    {
        var recount = RecountInstall.Parser.ParseFrom(request).ToRecount();
        var result = await _folder.InstallAsync(recount, CancellationToken.None).ConfigureAwait(false);
        if (result.Outcome == InstallOutcome.Installed)
            _announcer.Changed(_shard.Tenant);
        return new InstallReply { Outcome = (int)result.Outcome, Folded = result.Folded };
    }

    public async Task<byte[]> ReadAsync(byte[] request)
    {
        var asked = GetCounterRequest.Parser.ParseFrom(request);
        var at = Instant.Of(_clock.GetUtcNow());
        if (asked.AtTime?.TryToInstant(out at) is { } problem)
            throw new ArgumentException($"at_time {problem}", nameof(request));
        var counter = await _folder.ReadAsync(asked.Metric, asked.CustomerRef, at, CancellationToken.None).ConfigureAwait(false);
        return counter?.ToWire(_shard.Tenant).ToByteArray() ?? [];
    }

    private FoldReply Report(string cause, FoldResult result)
    {
        _instruments.Turn(cause, result.Counted);
        if (result.Counted > 0)
            _announcer.Changed(_shard.Tenant);
        return new FoldReply { Folded = result.Folded, Behind = result.Behind, Counted = result.Counted };
    }
}
