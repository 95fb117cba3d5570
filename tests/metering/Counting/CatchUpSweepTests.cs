using Microsoft.Extensions.Time.Testing;
using StripeMeter.Kits.Simulated.Database;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Tests.Counting;

public sealed class CatchUpSweepTests
{
    private const int Turns = 3;
    private static readonly TenantId Busy = new("a");
    private static readonly TenantId Quiet = new("b");
    private readonly SimulatedStore _store = SimulatedStore.Harmless();
    private readonly FakeTimeProvider _clock = new();
    private readonly List<TenantId> _walked = [];

    [Fact]
    public async Task Sweep_CallThatRunsOutOfTime_FailsAloneAndStopsNoneOfTheOthers()
    {
        await AppendAsync(Busy, 1);
        await AppendAsync(Quiet, 1);
        // As the client of actors reports that its own patience has ended.
        var sweep = SweepOf(shard => shard.Tenant == Busy ? throw new TaskCanceledException("100 seconds elapsed") : FoldOneAsync(shard));

        var failure = await Assert.ThrowsAsync<AggregateException>(() => sweep.SweepAsync(CancellationToken.None));

        Assert.IsType<TaskCanceledException>(Assert.Single(failure.InnerExceptions));
        Assert.Equal([Busy, Quiet], _walked);
    }

    [Fact]
    public async Task Sweep_ShardFarBehind_HasItsTurns_ThenTheOthers_AndGoesOnInTheNext()
    {
        await AppendAsync(Busy, 10);
        await AppendAsync(Quiet, 1);
        var sweep = SweepOf(FoldOneAsync, patience: TimeSpan.FromHours(1));
        await sweep.SweepAsync(CancellationToken.None);
        Assert.Empty(_walked);
        _clock.Advance(TimeSpan.FromHours(1));

        await sweep.SweepAsync(CancellationToken.None);
        Assert.Equal([.. Enumerable.Repeat(Busy, Turns), Quiet], _walked);

        await sweep.SweepAsync(CancellationToken.None);
        Assert.Equal([.. Enumerable.Repeat(Busy, Turns), Quiet, .. Enumerable.Repeat(Busy, Turns)], _walked);
    }

    private CatchUpSweep SweepOf(Func<ShardId, Task<FoldResult>> fold, TimeSpan patience = default)
    {
        var options = new CatchUpOptions { Patience = patience, Parallelism = 1, TurnsPerShard = Turns };
        return new CatchUpSweep(_store.Work, CatchUpAsync, _clock, options);

        Task<FoldResult> CatchUpAsync(ShardId shard, CancellationToken cancellation)
        {
            _walked.Add(shard.Tenant);
            return fold(shard);
        }
    }

    /// <summary>A turn that gets one record further.</summary>
    private async Task<FoldResult> FoldOneAsync(ShardId shard)
    {
        var tenant = _store.Of(shard.Tenant);
        var head = await tenant.Ledger.HeadAsync(shard.Shard, CancellationToken.None);
        var folded = (await tenant.Projection.ProgressAsync(shard.Shard, CancellationToken.None)).Position + 1;
        await tenant.Projection.RaiseAsync(shard.Shard, new ShardProgress(head.LogId, folded), CancellationToken.None);
        return new FoldResult(folded, folded < head.Position, 1);
    }

    private async Task AppendAsync(TenantId tenant, int count)
    {
        var now = Instant.Of(_clock.GetUtcNow());
        var events = Enumerable.Range(0, count).Select(number => new KeyedEvent(
            new UsageEvent("api_calls", "cus_1", "", Quantity.FromInteger(1), now, "", EventSource.Http), FormattableString.Invariant($"k{number}")));
        await new Appender(tenant, _store.Of(tenant).Ledger, (_, _) => null, _clock).AppendAsync([.. events], CancellationToken.None);
    }
}
