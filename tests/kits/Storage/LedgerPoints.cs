using System.Collections.Concurrent;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;
using Xunit;

namespace StripeMeter.Kits.Storage;

/// <summary><see cref="ILedger"/>: appending, reading in order of position, holes.</summary>
internal sealed class LedgerPoints(StoreUnderTest subject)
{
    private readonly ILedger _ledger = subject.Acme.Ledger;
    private readonly CancellationToken _cancellation = subject.Cancellation;

    public async Task ShardCount_OfANewTenant_IsTheConfiguredOne() =>
        Assert.Equal(StoreUnderTest.ShardCount, await _ledger.ShardCountAsync(_cancellation));

    public async Task Append_NewRecords_StandAtPositionsFromOne()
    {
        var outcomes = await _ledger.AppendAsync(1, Sample.Records("k", 3), _cancellation);

        Assert.Equal([(true, 1, 1L), (true, 1, 2L), (true, 1, 3L)], outcomes.Select(Place));
        Assert.Equal(Sample.Records("k", 3).Select(record => record.Fingerprint), outcomes.Select(outcome => outcome.Fingerprint));
        Assert.Equal(3, (await _ledger.HeadAsync(1, _cancellation)).Position);
    }

    public async Task Append_Nothing_ChangesNothing()
    {
        Assert.Empty(await _ledger.AppendAsync(0, [], _cancellation));
        Assert.Equal(0, (await _ledger.HeadAsync(0, _cancellation)).Position);
    }

    public async Task Append_TheSameTwice_AnswersTheRecordThatStands()
    {
        var record = Sample.Record("k", late: true);
        await _ledger.AppendAsync(0, [record], _cancellation);

        var outcome = Assert.Single(await _ledger.AppendAsync(0, [record with { Late = false }], _cancellation));

        Assert.Equal(new AppendOutcome(false, 0, 1, record.Fingerprint, Late: true), outcome);
        Assert.Single(await ReadAllAsync(0));
    }

    public async Task Append_AnotherBodyUnderAKey_AnswersTheFirst()
    {
        var first = Sample.Record("k", Sample.Usage(1));
        await _ledger.AppendAsync(0, [first], _cancellation);

        var outcome = Assert.Single(await _ledger.AppendAsync(0, [Sample.Record("k", Sample.Usage(2))], _cancellation));

        Assert.Equal(new AppendOutcome(false, 0, 1, first.Fingerprint, false), outcome);
        Assert.Equal(Quantity.One, Assert.Single(await ReadAllAsync(0)).Quantity);
    }

    public async Task Append_AKeyOfAnotherShard_AnswersThatShard()
    {
        await _ledger.AppendAsync(3, [Sample.Record("other"), Sample.Record("k")], _cancellation);

        var outcome = Assert.Single(await _ledger.AppendAsync(0, [Sample.Record("k")], _cancellation));

        Assert.Equal((false, 3, 2L), Place(outcome));
        Assert.Equal(ShardHead.Empty, await _ledger.HeadAsync(0, _cancellation));
    }

    public async Task Append_KnownAmongNew_AnswersInOrderWithoutGaps()
    {
        await _ledger.AppendAsync(0, Sample.Records("k", 2), _cancellation);

        var outcomes = await _ledger.AppendAsync(0, [.. Sample.Records("n", 1), .. Sample.Records("k", 3)], _cancellation);

        Assert.Equal([(true, 0, 3L), (false, 0, 1L), (false, 0, 2L), (true, 0, 4L)], outcomes.Select(Place));
        Assert.Equal([1, 2, 3, 4], (await ReadAllAsync(0)).Select(record => record.Position));
    }

    public async Task Append_AKeyOfAnotherSpace_BothStand()
    {
        await _ledger.AppendAsync(0, [Sample.Record("k")], _cancellation);

        var outcome = Assert.Single(await _ledger.AppendAsync(
            0, [Sample.Record("k") with { Space = KeySpace.Control }], _cancellation));

        Assert.Equal((true, 0, 2L), Place(outcome));
    }

    public async Task Append_KeysThatDifferByCaseOrForm_AllStand()
    {
        // Composed and decomposed, case, and white space: a key is its code points.
        string[] keys = ["k", "K", "k ", "é", "e\u0301", .. Sample.Texts];

        var outcomes = await _ledger.AppendAsync(0, Array.ConvertAll(keys, key => Sample.Record(key)), _cancellation);

        Assert.All(outcomes, outcome => Assert.True(outcome.Appended));
        Assert.Equal(keys, (await ReadAllAsync(0)).Select(record => record.Key));
    }

    public async Task Append_ByTwoTenants_NeitherSeesTheOther()
    {
        var other = subject.Of("other").Ledger;
        await _ledger.AppendAsync(0, Sample.Records("k", 3), _cancellation);

        var outcomes = await other.AppendAsync(0, Sample.Records("k", 1), _cancellation);

        Assert.Equal([(true, 0, 1L)], outcomes.Select(Place));
        Assert.Equal(1, (await other.HeadAsync(0, _cancellation)).Position);
        Assert.Single(await other.ReadAsync(0, 0, 10, _cancellation));
        Assert.Single(await other.QueryAsync(new EventQuery(), _cancellation));
        Assert.Equal(1, await other.CountAsync(new EventQuery(), _cancellation));
        Assert.Equal(3, await _ledger.CountAsync(new EventQuery(), _cancellation));
    }

    public async Task Append_ManyWritersOfTheSameKeys_EachKeyStandsOnceWithoutGaps()
    {
        const int Writers = 6;
        const int Keys = 60;
        const int BatchKeys = 10;
        var answers = new ConcurrentBag<(string Key, AppendOutcome Outcome)>();

        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(() => WriteAsync(writer))));

        var places = answers.GroupBy(answer => answer.Key)
            .Select(key => (Key: key.Key, Place: Assert.Single(key.Select(answer => (answer.Outcome.Shard, answer.Outcome.Position)).Distinct())));
        Assert.Equal(Keys, places.Count());
        Assert.All(answers.GroupBy(answer => answer.Key), key => Assert.InRange(key.Count(answer => answer.Outcome.Appended), 0, 1));
        for (var shard = 0; shard < 2; shard++)
        {
            await FillHolesAsync(shard);
            var head = await _ledger.HeadAsync(shard, _cancellation);
            var records = await ReadAllAsync(shard);
            Assert.Equal(Enumerable.Range(1, (int)head.Position), records.Select(record => (int)record.Position));
            Assert.Equal(
                places.Where(key => key.Place.Shard == shard).Select(key => (key.Place.Position, key.Key)).Order(),
                records.Where(record => record.Kind == RecordKind.Event).Select(record => (record.Position, record.Key)));
        }

        // Every writer sends every key, half of them to the one shard and half to the other; each writer its own halves.
        async Task WriteAsync(int writer)
        {
            foreach (var batch in Enumerable.Range(0, Keys).Chunk(BatchKeys))
            {
                await Task.WhenAll(batch.GroupBy(number => (number + writer) % 2).Select(half => SendAsync(
                    half.Key, [.. half.Select(number => Sample.Record($"k{number}", Sample.Usage(number + 1)))])));
            }
        }

        async Task SendAsync(int shard, LedgerRecord[] records)
        {
            var outcomes = await UntilAvailableAsync(() => _ledger.AppendAsync(shard, records, _cancellation));
            for (var index = 0; index < records.Length; index++)
                answers.Add((records[index].Key, outcomes[index]));
        }
    }

    public async Task Head_OfEmptyShards_IsEmpty()
    {
        await _ledger.AppendAsync(0, [Sample.Record("k")], _cancellation);

        Assert.Equal(ShardHead.Empty, await _ledger.HeadAsync(1, _cancellation));
        Assert.Equal(ShardHead.Empty, await subject.Of("nobody").Ledger.HeadAsync(0, _cancellation));
    }

    public async Task Head_LogId_IsTheShardsOwnAndStays()
    {
        await _ledger.AppendAsync(0, [Sample.Record("a")], _cancellation);
        await _ledger.AppendAsync(1, [Sample.Record("b")], _cancellation);
        var first = await _ledger.HeadAsync(0, _cancellation);
        await _ledger.AppendAsync(0, [Sample.Record("c")], _cancellation);

        Assert.NotEmpty(first.LogId);
        Assert.Equal(new ShardHead(first.LogId, 2, 0), await _ledger.HeadAsync(0, _cancellation));
        Assert.NotEqual(first.LogId, (await _ledger.HeadAsync(1, _cancellation)).LogId);
    }

    public async Task Read_InPages_ReturnsWhatWasAppendedInOrder()
    {
        var records = Sample.Texts.Select((text, index) => Sample.Record(
            text,
            new UsageEvent(text, text, text, new Quantity(index + 1), new Instant(Sample.Noon.Ticks - index), "", EventSource.Sdk),
            late: index % 3 == 0)).ToArray();
        await _ledger.AppendAsync(2, records, _cancellation);

        var read = new List<Countable>();
        while (await _ledger.ReadAsync(2, read.Count, 4, _cancellation) is { Count: > 0 } page)
            read.AddRange(page);

        Assert.Equal(records.Select((record, index) => Countable.Of(new PositionedRecord(index + 1, record))), read);
    }

    public async Task Read_BeyondTheHead_IsEmpty()
    {
        await _ledger.AppendAsync(0, Sample.Records("k", 2), _cancellation);

        Assert.Empty(await _ledger.ReadAsync(0, 2, 10, _cancellation));
        Assert.Empty(await _ledger.ReadAsync(0, long.MaxValue, 10, _cancellation));
        Assert.Empty(await _ledger.ReadAsync(1, 0, 10, _cancellation));
    }

    public async Task Fill_WhereARecordStands_LeavesIt()
    {
        await _ledger.AppendAsync(0, Sample.Records("k", 2), _cancellation);

        await _ledger.FillAsync(0, 1, Sample.Noon, _cancellation);

        Assert.Equal(["k0", "k1"], (await ReadAllAsync(0)).Select(record => record.Key));
    }

    public async Task Fill_PositionsNobodyReserved_AreRefused()
    {
        await _ledger.AppendAsync(0, Sample.Records("k", 2), _cancellation);

        foreach (var position in (long[])[-1, 0, 3])
        {
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
                () => _ledger.FillAsync(0, position, Sample.Noon, _cancellation));
        }

        Assert.Equal((true, 0, 3L), Place(Assert.Single(await _ledger.AppendAsync(0, [Sample.Record("n")], _cancellation))));
    }

    public async Task Values_AtTheirLimits_ComeBackExactly()
    {
        var longText = string.Concat(Enumerable.Repeat("日", 255));
        UsageEvent[] events =
        [
            Sample.Usage() with { Quantity = Quantity.Parse("999999999999.999999") },
            Sample.Usage() with { Quantity = new Quantity(1) },
            Sample.Usage() with { Quantity = new Quantity(Int128.MaxValue) },
            Sample.Usage() with { Quantity = new Quantity(Int128.MinValue) },
            Sample.Usage() with { Quantity = new Quantity(((Int128)1 << 64) - 1) },
            Sample.Usage() with { Quantity = default, Timestamp = Instant.Minimum },
            Sample.Usage() with { Timestamp = Instant.Maximum },
            Sample.Usage() with { Timestamp = new Instant(-1) },
            Sample.Usage() with { Metric = longText[..100], Customer = longText, Resource = longText },
            Sample.Usage() with { Meta = $$"""{"a.b":{"$c":[1.50,"😀",null]},"d":"{{new string('x', 4000)}}"}""" },
            .. Enum.GetValues<EventSource>().Select(source => Sample.Usage() with { Source = source }),
        ];
        var records = events.Select((usage, index) => Sample.Record($"k{index}", usage, late: index % 2 == 1)).ToArray();
        await _ledger.AppendAsync(0, records, _cancellation);

        var listed = await _ledger.QueryAsync(new EventQuery { Limit = 100 }, _cancellation);

        Assert.Equal(records, listed.OrderBy(entry => entry.Position).Select(entry => entry.Record));
        Assert.Equal(
            records.Select((record, index) => Countable.Of(new PositionedRecord(index + 1, record))), await ReadAllAsync(0));
    }

    private static (bool Appended, int Shard, long Position) Place(AppendOutcome outcome) =>
        (outcome.Appended, outcome.Shard, outcome.Position);

    private Task<IReadOnlyList<Countable>> ReadAllAsync(int shard) => _ledger.ReadAsync(shard, 0, 10_000, _cancellation);

    private async Task FillHolesAsync(int shard)
    {
        var head = (await _ledger.HeadAsync(shard, _cancellation)).Position;
        var standing = (await ReadAllAsync(shard)).Select(record => record.Position).ToHashSet();
        for (var position = 1L; position <= head; position++)
        {
            if (!standing.Contains(position))
                await _ledger.FillAsync(shard, position, Sample.Noon, _cancellation);
        }
    }

    private async Task<T> UntilAvailableAsync<T>(Func<Task<T>> work)
    {
        while (true)
        {
            _cancellation.ThrowIfCancellationRequested();
            try
            {
                return await work();
            }
            catch (StoreUnavailableException)
            {
                await Task.Yield();
            }
        }
    }
}
