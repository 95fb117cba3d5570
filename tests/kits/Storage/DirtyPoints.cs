using StripeMeter.Metering.Counting;
using Xunit;

namespace StripeMeter.Kits.Storage;

/// <summary><see cref="IProjection"/>: the marks that say what is still to be pushed.</summary>
internal sealed class DirtyPoints(StoreUnderTest subject)
{
    private readonly IProjection _projection = subject.Acme.Projection;
    private readonly CancellationToken _cancellation = subject.Cancellation;

    public async Task Write_EveryRow_IsMarked()
    {
        CounterRow[] rows = [Sample.Row("a"), Sample.Row("b"), Sample.Row("c")];
        await _projection.WriteAsync(rows, _cancellation);

        Assert.Equal(rows, await DirtyAsync());
        Assert.Equal(2, (await _projection.DirtyAsync(2, _cancellation)).Count);
        Assert.Empty(await subject.Of("other").Projection.DirtyAsync(10, _cancellation));
    }

    public async Task Clear_WhatStands_IsMarkedNoMore()
    {
        await _projection.WriteAsync([Sample.Row("a"), Sample.Row("b")], _cancellation);

        await _projection.ClearDirtyAsync([Sample.Row("a"), Sample.Row("missing")], _cancellation);

        Assert.Equal([Sample.Row("b")], await DirtyAsync());
        Assert.Equal(2, (await _projection.ListAsync(new CounterQuery(), _cancellation)).Count);
    }

    public async Task Clear_WhatHasChangedSince_StaysMarked()
    {
        CounterRow[] read = [Sample.Row("greater"), Sample.Row("recut"), Sample.Row("restored")];
        await _projection.WriteAsync(read, _cancellation);
        CounterRow[] changed =
            [Sample.Row("greater", position: 2), Sample.Row("recut", recut: 1), Sample.Row("restored", logId: "restored")];
        await _projection.WriteAsync(changed, _cancellation);

        await _projection.ClearDirtyAsync(read, _cancellation);

        Assert.Equal(changed, await DirtyAsync());
    }

    public async Task Write_AfterClear_MarksOnlyWhatChanges()
    {
        await _projection.WriteAsync([Sample.Row("same"), Sample.Row("changed")], _cancellation);
        await _projection.ClearDirtyAsync([Sample.Row("same"), Sample.Row("changed")], _cancellation);

        await _projection.WriteAsync([Sample.Row("same", sum: 9), Sample.Row("changed", position: 2)], _cancellation);

        Assert.Equal([Sample.Row("changed", position: 2)], await DirtyAsync());
    }

    public async Task Mark_AMetric_MarksItsRowsOnly()
    {
        CounterRow[] rows = [Sample.Row("a", "cus_1"), Sample.Row("a", "cus_2", month: 2), Sample.Row("b")];
        await _projection.WriteAsync(rows, _cancellation);
        await subject.Of("other").Projection.WriteAsync([Sample.Row("a")], _cancellation);
        await _projection.ClearDirtyAsync(rows, _cancellation);
        await subject.Of("other").Projection.ClearDirtyAsync([Sample.Row("a")], _cancellation);

        await _projection.MarkDirtyAsync("a", _cancellation);

        Assert.Equal(rows[..2], await DirtyAsync());
        Assert.Empty(await subject.Of("other").Projection.DirtyAsync(10, _cancellation));
        await _projection.ClearDirtyAsync(rows, _cancellation);
        Assert.Empty(await DirtyAsync());
    }

    public async Task Dirty_WhatWaitsLongest_ComesFirst()
    {
        await _projection.WriteAsync([Sample.Row("b", projected: 2)], _cancellation);
        await _projection.WriteAsync([Sample.Row("a", projected: 3)], _cancellation);
        await _projection.WriteAsync([Sample.Row("c", projected: 1)], _cancellation);
        // Changing again does not cost a row its place.
        await _projection.WriteAsync([Sample.Row("c", position: 2, projected: 9)], _cancellation);

        Assert.Equal(
            ["c", "b", "a"], (await _projection.DirtyAsync(10, _cancellation)).Select(row => row.Counter.Key.Metric));
    }

    public async Task Postpone_WhatCannotBeToldNow_GoesBehindAllThatWaits()
    {
        CounterRow[] stuck = [Sample.Row("a", projected: 1), Sample.Row("b", projected: 2)];
        await _projection.WriteAsync([.. stuck, Sample.Row("c", projected: 3)], _cancellation);
        await _projection.ClearDirtyAsync([stuck[1]], _cancellation);

        await _projection.PostponeDirtyAsync(stuck, Sample.Noon + TimeSpan.FromSeconds(1), _cancellation);

        // What is marked no more is not marked by being postponed.
        Assert.Equal(["c", "a"], (await _projection.DirtyAsync(10, _cancellation)).Select(row => row.Counter.Key.Metric));
        await _projection.WriteAsync([Sample.Row("d", projected: TimeSpan.TicksPerMinute)], _cancellation);
        Assert.Equal(["c", "a", "d"], (await _projection.DirtyAsync(10, _cancellation)).Select(row => row.Counter.Key.Metric));
    }

    public async Task Dirty_RowsThatChangeBeforeEveryClear_DoNotKeepOthersWaiting()
    {
        await _projection.WriteAsync([Sample.Row("hot"), Sample.Row("quiet", projected: 1)], _cancellation);
        for (var round = 2; round < 6; round++)
        {
            var read = Assert.Single(await _projection.DirtyAsync(1, _cancellation));
            if (read.Counter.Key.Metric == "quiet")
                return;
            await _projection.WriteAsync([Sample.Row("hot", position: round, projected: round)], _cancellation);
            await _projection.ClearDirtyAsync([read], _cancellation);
        }

        Assert.Fail("A row that changes all the time kept another one waiting.");
    }

    private async Task<IEnumerable<CounterRow>> DirtyAsync() =>
        (await _projection.DirtyAsync(100, _cancellation)).OrderBy(row => row.Counter.Key.Metric).ThenBy(row => row.Counter.Key.Customer);
}
