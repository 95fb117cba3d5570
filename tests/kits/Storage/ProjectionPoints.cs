using StripeMeter.Metering.Text;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;
using Xunit;

namespace StripeMeter.Kits.Storage;

/// <summary><see cref="IProjection"/>: progress, guarded rows, listing.</summary>
internal sealed class ProjectionPoints(StoreUnderTest subject)
{
    private readonly IProjection _projection = subject.Acme.Projection;
    private readonly CancellationToken _cancellation = subject.Cancellation;

    public async Task Progress_OfANewShard_IsNone() =>
        Assert.Equal(ShardProgress.None, await _projection.ProgressAsync(0, _cancellation));

    public async Task Raise_WithinALog_IsAMaximum()
    {
        foreach (var position in (long[])[5, 9, 7, 9, 1])
            await _projection.RaiseAsync(0, new ShardProgress("log", position), _cancellation);

        Assert.Equal(new ShardProgress("log", 9), await _projection.ProgressAsync(0, _cancellation));
    }

    public async Task Raise_OfAnotherLog_ReplacesBoth()
    {
        await _projection.RaiseAsync(0, new ShardProgress("log", 9), _cancellation);
        await _projection.RaiseAsync(0, new ShardProgress("restored", 4), _cancellation);
        await _projection.RaiseAsync(0, new ShardProgress("restored", 3), _cancellation);

        Assert.Equal(new ShardProgress("restored", 4), await _projection.ProgressAsync(0, _cancellation));
    }

    public async Task Raise_FromManyTasks_EndsAtTheGreatest()
    {
        await Task.WhenAll(Enumerable.Range(1, 20).Reverse().Select(
            position => Task.Run(() => _projection.RaiseAsync(0, new ShardProgress("log", position), _cancellation))));

        Assert.Equal(new ShardProgress("log", 20), await _projection.ProgressAsync(0, _cancellation));
    }

    public async Task Raise_ConcernsOneShardOfOneTenant()
    {
        await _projection.RaiseAsync(0, new ShardProgress("log", 9), _cancellation);

        Assert.Equal(ShardProgress.None, await _projection.ProgressAsync(1, _cancellation));
        Assert.Equal(ShardProgress.None, await subject.Of("other").Projection.ProgressAsync(0, _cancellation));
    }

    public async Task Load_Rows_ComeBackExactlyAndMissingOnesAreLeftOut()
    {
        var extreme = Sample.Row("extreme", Sample.Texts[^1], position: long.MaxValue - 1, recut: 7, shard: 1023, logId: "ä") with
        {
            Projected = Instant.Maximum,
        };
        extreme = extreme with
        {
            Counter = extreme.Counter with
            {
                Aggregates = new Aggregates(
                    new Quantity(Int128.MaxValue), long.MaxValue, new Quantity(Int128.MinValue), Quantity.Parse("999999999999.999999"),
                    new Quantity(-1), Instant.Minimum, "😀"),
                Period = new BillingPeriod(extreme.Counter.Period.Start, Instant.Maximum),
            },
        };
        var empty = Sample.Row("empty");
        empty = empty with { Counter = Counter.Empty(empty.Counter.Key, empty.Counter.Period) };
        await _projection.WriteAsync([extreme, empty], _cancellation);

        var loaded = await _projection.LoadAsync(
            [extreme.Counter.Key, empty.Counter.Key, Sample.Row("missing").Counter.Key], _cancellation);

        Assert.Equal(2, loaded.Count);
        Assert.Equal(extreme, loaded[extreme.Counter.Key]);
        Assert.Equal(empty, loaded[empty.Counter.Key]);
        Assert.Empty(await _projection.LoadAsync([], _cancellation));
    }

    public async Task Write_AVersionThatCovers_Replaces()
    {
        CounterRow[] rows =
        [
            Sample.Row(sum: 1, position: 4), Sample.Row(sum: 2, position: 5), Sample.Row(sum: 3, position: 5, recut: 1),
            Sample.Row(sum: 4, position: 9, recut: 7),
        ];
        foreach (var row in rows)
        {
            Assert.Empty(await _projection.WriteAsync([row], _cancellation));
            Assert.Equal(row, await LoadAsync(row));
        }
    }

    public async Task Write_AVersionThatDoesNotCover_ChangesNothingAndSaysWhatStands()
    {
        var standing = Sample.Row(sum: 1, position: 4, recut: 2);
        await _projection.WriteAsync([standing], _cancellation);
        CounterRow[] others =
        [
            Sample.Row(sum: 2, position: 4, recut: 2, projected: 1), Sample.Row(sum: 3, position: 3, recut: 2),
            Sample.Row(sum: 4, position: 9, recut: 1), Sample.Row(sum: 5, position: 3, recut: 9),
        ];

        foreach (var other in others)
            Assert.Equal([standing], await _projection.WriteAsync([other, Sample.Row($"new {other.Counter.Aggregates.Sum}")], _cancellation));

        Assert.Equal(standing, await LoadAsync(standing));
        Assert.Equal(1 + others.Length, (await _projection.ListAsync(new CounterQuery(), _cancellation)).Count);
    }

    public async Task Write_OfAnotherLog_ReplacesWhateverItsVersion()
    {
        await _projection.WriteAsync([Sample.Row(sum: 1, position: 9, recut: 5, shard: 1)], _cancellation);
        var restored = Sample.Row(sum: 2, position: 1, logId: "restored", shard: 2);

        await _projection.WriteAsync([restored], _cancellation);

        Assert.Equal(restored, await LoadAsync(restored));
    }

    public async Task Write_FromManyTasks_TheGreatestVersionStands()
    {
        await Task.WhenAll(Enumerable.Range(1, 20).Select(
            position => Task.Run(() => _projection.WriteAsync([Sample.Row(sum: position, position: position)], _cancellation))));

        Assert.Equal(Sample.Row(sum: 20, position: 20), await LoadAsync(Sample.Row()));
    }

    public async Task Write_ManyRows_EachIsGuardedOnItsOwn()
    {
        await _projection.WriteAsync([Sample.Row("a", sum: 9, position: 9), Sample.Row("b", sum: 1)], _cancellation);

        await _projection.WriteAsync(
            [Sample.Row("a", sum: 5, position: 5), Sample.Row("b", sum: 5, position: 5), Sample.Row("c", sum: 5, position: 5)],
            _cancellation);

        Assert.Equal(
            [Sample.Row("a", sum: 9, position: 9), Sample.Row("b", sum: 5, position: 5), Sample.Row("c", sum: 5, position: 5)],
            await _projection.ListAsync(new CounterQuery(), _cancellation));
    }

    public async Task List_AnyFilter_InOrderAndInPages()
    {
        var rows = (from text in Sample.Texts
                    from customer in (string[])["cus_1", text, "cus_2"]
                    from month in (int[])[2, 3]
                    select Sample.Row(text, customer, month)).ToArray();
        await _projection.WriteAsync(rows, _cancellation);
        await subject.Of("other").Projection.WriteAsync([Sample.Row("A", sum: 7), Sample.Row("other")], _cancellation);
        CounterQuery[] queries =
        [
            new(), new() { Metric = "😀" }, new() { Customer = "cus_2" }, new() { Customer = "\uFFFD" },
            new() { Metric = "A", Customer = "cus_1" }, new() { At = Sample.Noon }, new() { At = Sample.Month(2).Start, Customer = "cus_1" },
            new() { Metric = "none" },
        ];

        foreach (var query in queries)
        {
            var expected = rows.Where(row => Keeps(query, row.Counter))
                .OrderBy(row => row.Counter.Key.Metric, CodePointOrder.Instance)
                .ThenBy(row => row.Counter.Key.Customer, CodePointOrder.Instance).ThenBy(row => row.Counter.Key.PeriodStart);
            Assert.Equal(expected, await PageAsync(query with { Limit = 7 }));
        }
    }

    public async Task List_At_IncludesThePeriodsStartAndNotItsEnd()
    {
        var row = Sample.Row(month: 3);
        await _projection.WriteAsync([row], _cancellation);
        var (start, end) = (row.Counter.Period.Start, row.Counter.Period.End);

        Assert.Equal([row], await _projection.ListAsync(new CounterQuery { At = start }, _cancellation));
        Assert.Equal([row], await _projection.ListAsync(new CounterQuery { At = new Instant(end.Ticks - 1) }, _cancellation));
        Assert.Empty(await _projection.ListAsync(new CounterQuery { At = end }, _cancellation));
        Assert.Empty(await _projection.ListAsync(new CounterQuery { At = new Instant(start.Ticks - 1) }, _cancellation));
    }

    public async Task Rows_OfTwoTenants_AreApart()
    {
        var other = subject.Of("other").Projection;
        await _projection.WriteAsync([Sample.Row(sum: 1, position: 9)], _cancellation);
        await other.WriteAsync([Sample.Row(sum: 2, position: 1)], _cancellation);

        Assert.Equal(Sample.Row(sum: 1, position: 9), await LoadAsync(Sample.Row()));
        Assert.Equal([Sample.Row(sum: 2, position: 1)], await other.ListAsync(new CounterQuery(), _cancellation));
        Assert.Empty(await subject.Of("nobody").Projection.LoadAsync([Sample.Row().Counter.Key], _cancellation));
    }

    private static bool Keeps(CounterQuery query, Counter counter) =>
        (query.Metric is null || counter.Key.Metric == query.Metric)
        && (query.Customer is null || counter.Key.Customer == query.Customer)
        && (query.At is not { } at || counter.Period.Contains(at));

    private async Task<CounterRow?> LoadAsync(CounterRow row) =>
        (await _projection.LoadAsync([row.Counter.Key], _cancellation)).GetValueOrDefault(row.Counter.Key);

    private async Task<List<CounterRow>> PageAsync(CounterQuery query)
    {
        var listed = new List<CounterRow>();
        while (await _projection.ListAsync(query, _cancellation) is { Count: > 0 } page)
        {
            listed.AddRange(page);
            query = query with { After = page[^1].Counter.Key };
        }

        return listed;
    }
}
