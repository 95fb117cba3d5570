using StripeMeter.Metering.Ledger;
using Xunit;

namespace StripeMeter.Kits.Storage;

/// <summary><see cref="IPositionedRecords"/>: the single-document operations, and the holes they may leave.</summary>
internal sealed class PositionedRecordsPoints(StoreUnderTest subject)
{
    private readonly IPositionedRecords _records = subject.PositionedRecordsOf("acme");
    private readonly ILedger _ledger = subject.Acme.Ledger;
    private readonly CancellationToken _cancellation = subject.Cancellation;

    public async Task Reserve_FromManyTasks_RangesFollowEachOther()
    {
        const int Tasks = 12;
        var firsts = await Task.WhenAll(Enumerable.Range(1, Tasks).Select(
            count => Task.Run(async () => (First: await _records.ReserveAsync(0, count, _cancellation), Count: count))));

        var next = 1L;
        foreach (var (first, count) in firsts.OrderBy(range => range.First))
        {
            Assert.Equal(next, first);
            next += count;
        }

        var head = await _ledger.HeadAsync(0, _cancellation);
        Assert.Equal(next - 1, head.Position);
        Assert.NotEmpty(head.LogId);
    }

    public async Task Insert_OnReservedPositions_StandsThere()
    {
        Assert.Equal(1, await _records.ReserveAsync(0, 3, _cancellation));

        var outcomes = await InsertAsync((1, "a"), (2, "b"), (3, "c"));

        Assert.Equal([InsertOutcome.Inserted, InsertOutcome.Inserted, InsertOutcome.Inserted], outcomes);
        Assert.Equal([(1, "a"), (2, "b"), (3, "c")], await StandingAsync());
    }

    public async Task Insert_AKeyThatStands_IsToldFromATakenPosition()
    {
        await _records.ReserveAsync(0, 5, _cancellation);
        await InsertAsync((1, "a"), (2, "b"));

        var outcomes = await InsertAsync((1, "a"), (3, "a"), (2, "a"), (2, "new"), (4, "d"));

        Assert.Equal(
            [InsertOutcome.KeyTaken, InsertOutcome.KeyTaken, InsertOutcome.KeyTaken, InsertOutcome.PositionTaken, InsertOutcome.Inserted],
            outcomes);
        Assert.Equal([(1, "a"), (2, "b"), (4, "d")], await StandingAsync());
    }

    public async Task Insert_OneKeyTwiceInABatch_StandsOnce()
    {
        await _records.ReserveAsync(0, 2, _cancellation);

        var outcomes = await InsertAsync((1, "a"), (2, "a"));

        Assert.Equal([InsertOutcome.Inserted, InsertOutcome.KeyTaken], outcomes.Order());
        Assert.Single(await StandingAsync());
    }

    public async Task Insert_TheSameOfAnotherTenant_BothStand()
    {
        await _records.ReserveAsync(0, 1, _cancellation);
        await InsertAsync((1, "a"));
        var other = subject.PositionedRecordsOf("other");
        await other.ReserveAsync(0, 1, _cancellation);

        var outcomes = await other.InsertAsync(0, [new PositionedRecord(1, Sample.Record("a"))], _cancellation);

        Assert.Equal([InsertOutcome.Inserted], outcomes);
    }

    public async Task Find_Keys_WhateverTheirShard()
    {
        var late = Sample.Record("late", late: true);
        await _ledger.AppendAsync(0, [Sample.Record("a")], _cancellation);
        await _ledger.AppendAsync(3, [Sample.Record("b"), late, Sample.Record("c") with { Space = KeySpace.Control }], _cancellation);

        var found = await _records.FindAsync(
            [Client("a"), Client("late"), Client("c"), Client("none"), new RecordKey(KeySpace.Control, "c")], _cancellation);

        Assert.Equal([Client("a"), new RecordKey(KeySpace.Control, "c"), Client("late")], found.Keys.OrderBy(key => key.Key == "late" ? "z" : key.Key));
        Assert.Equal(new KnownRecord(0, 1, late.Fingerprint, false), found[Client("a")]);
        Assert.Equal(new KnownRecord(3, 2, late.Fingerprint, true), found[Client("late")]);
        Assert.Empty(await subject.PositionedRecordsOf("other").FindAsync([Client("a")], _cancellation));
        Assert.Empty(await _records.FindAsync([], _cancellation));
    }

    public async Task Displacement_IsCountedOnTheHead()
    {
        await _records.ReserveAsync(0, 1, _cancellation);
        await _records.NoteDisplacementAsync(0, _cancellation);
        await _records.NoteDisplacementAsync(0, _cancellation);

        var head = await _ledger.HeadAsync(0, _cancellation);

        Assert.Equal((1, 2), (head.Position, head.Displacements));
    }

    public async Task Read_AHole_IsPassedOverUntilItIsFilled()
    {
        await _records.ReserveAsync(0, 4, _cancellation);
        await InsertAsync((1, "a"), (4, "d"));
        Assert.Equal([(1, "a"), (4, "d")], await StandingAsync());

        await _ledger.FillAsync(0, 2, Sample.Noon, _cancellation);
        await _ledger.FillAsync(0, 2, Sample.Noon, _cancellation);
        await _ledger.FillAsync(0, 3, Sample.Noon, _cancellation);

        var records = await _ledger.ReadAsync(0, 0, 10, _cancellation);
        Assert.Equal([RecordKind.Event, RecordKind.Junk, RecordKind.Junk, RecordKind.Event], records.Select(record => record.Kind));
        Assert.Equal([1, 2, 3, 4], records.Select(record => record.Position));
        Assert.Equal(new Countable(2, RecordKind.Junk, "", "", default, default, records[1].Key, false), records[1]);
        Assert.Equal(2, (await _ledger.QueryAsync(new EventQuery(), _cancellation)).Count);
        Assert.Equal(2, await _ledger.CountAsync(new EventQuery(), _cancellation));
    }

    public async Task Insert_OnAFilledPosition_FindsItTaken()
    {
        await _records.ReserveAsync(0, 1, _cancellation);
        await _ledger.FillAsync(0, 1, Sample.Noon, _cancellation);

        Assert.Equal([InsertOutcome.PositionTaken], await InsertAsync((1, "a")));
    }

    public async Task Fill_WhileWritersInsert_OneOfThemStands()
    {
        const int Positions = 30;
        await _records.ReserveAsync(0, Positions, _cancellation);

        var inserted = Task.WhenAll(Enumerable.Range(1, Positions).Select(
            position => Task.Run(async () => (await InsertAsync((position, $"k{position}")))[0])));
        await Task.WhenAll(Enumerable.Range(1, Positions).Select(
            position => Task.Run(() => _ledger.FillAsync(0, position, Sample.Noon, _cancellation))));

        var records = await _ledger.ReadAsync(0, 0, Positions + 1, _cancellation);
        Assert.Equal(Enumerable.Range(1, Positions), records.Select(record => (int)record.Position));
        Assert.Equal(
            (await inserted).Select(outcome => outcome == InsertOutcome.Inserted ? RecordKind.Event : RecordKind.Junk),
            records.Select(record => record.Kind));
    }

    private static RecordKey Client(string key) => new(KeySpace.Client, key);

    private Task<IReadOnlyList<InsertOutcome>> InsertAsync(params (long Position, string Key)[] records) => _records.InsertAsync(
        0, Array.ConvertAll(records, record => new PositionedRecord(record.Position, Sample.Record(record.Key))), _cancellation);

    private async Task<IEnumerable<(long, string)>> StandingAsync() =>
        (await _ledger.ReadAsync(0, 0, 100, _cancellation)).Select(record => (record.Position, record.Key));
}
