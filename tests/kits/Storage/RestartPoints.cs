using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Mappings;
using Xunit;

namespace StripeMeter.Kits.Storage;

/// <summary>What was written before a store was closed.</summary>
internal sealed class RestartPoints(StoreUnderTest subject)
{
    private readonly CancellationToken _cancellation = subject.Cancellation;

    public async Task ShardCount_OfAKnownTenant_IsNotReconfigured()
    {
        await subject.Acme.Ledger.ShardCountAsync(_cancellation);

        await subject.ReopenAsync(newTenantShards: 16);

        Assert.Equal(StoreUnderTest.ShardCount, await subject.Acme.Ledger.ShardCountAsync(_cancellation));
        Assert.Equal(16, await subject.Of("new").Ledger.ShardCountAsync(_cancellation));
    }

    public async Task Ledger_AfterARestart_GoesOnWhereItStood()
    {
        await subject.Acme.Ledger.AppendAsync(0, Sample.Records("k", 3), _cancellation);
        var head = await subject.Acme.Ledger.HeadAsync(0, _cancellation);

        await subject.ReopenAsync();

        Assert.Equal(head, await subject.Acme.Ledger.HeadAsync(0, _cancellation));
        var outcomes = await subject.Acme.Ledger.AppendAsync(0, Sample.Records("k", 5), _cancellation);
        Assert.Equal([false, false, false, true, true], outcomes.Select(outcome => outcome.Appended));
        Assert.Equal([1, 2, 3, 4, 5], outcomes.Select(outcome => outcome.Position));
        Assert.Equal(
            Sample.Records("k", 5),
            (await subject.Acme.Ledger.QueryAsync(new EventQuery(), _cancellation)).OrderBy(entry => entry.Position).Select(entry => entry.Record));
    }

    public async Task Projection_AfterARestart_KeepsRowsMarksAndProgress()
    {
        await subject.Acme.Projection.WriteAsync([Sample.Row("a"), Sample.Row("b")], _cancellation);
        await subject.Acme.Projection.ClearDirtyAsync([Sample.Row("a")], _cancellation);
        await subject.Acme.Projection.RaiseAsync(2, new ShardProgress("log", 7), _cancellation);

        await subject.ReopenAsync();

        Assert.Equal([Sample.Row("a"), Sample.Row("b")], await subject.Acme.Projection.ListAsync(new CounterQuery(), _cancellation));
        Assert.Equal([Sample.Row("b")], await subject.Acme.Projection.DirtyAsync(10, _cancellation));
        Assert.Equal(new ShardProgress("log", 7), await subject.Acme.Projection.ProgressAsync(2, _cancellation));
    }

    public async Task Mappings_AfterARestart_StandAndStillClash()
    {
        await subject.Acme.Mappings.CreateAsync(Sample.Mapping("1"), _cancellation);

        await subject.ReopenAsync();

        Assert.NotNull(await subject.Acme.Mappings.GetAsync("1", _cancellation));
        Assert.Equal(MappingWrite.MetricTaken, await subject.Acme.Mappings.CreateAsync(Sample.Mapping("2"), _cancellation));
    }
}
