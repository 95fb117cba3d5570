using StripeMeter.Metering.Text;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;
using Xunit;

namespace StripeMeter.Kits.Storage;

/// <summary>Control records and sessions in a ledger: they stand once, come back exactly, and are found by key, kind and series.</summary>
internal sealed class ControlPoints(StoreUnderTest subject)
{
    private readonly ILedger _ledger = subject.Acme.Ledger;
    private readonly CancellationToken _cancellation = subject.Cancellation;

    public async Task Append_EveryKindOfControlRecord_ComesBackExactly()
    {
        var records = EveryKind();
        await _ledger.AppendAsync(1, records, _cancellation);

        var expected = records.Select((record, index) => new PositionedRecord(index + 1, record)).ToArray();
        Assert.Equal(expected.Select(Countable.Of), await _ledger.ReadAsync(1, 0, 100, _cancellation));
        var found = await _ledger.FindAsync([.. records.Select(KeyOf)], _cancellation);
        Assert.Equal(
            expected.Select(placed => new LedgerEntry(1, placed.Position, placed.Record)), records.Select(record => found[KeyOf(record)]));
    }

    public async Task Append_ATransitionAgain_StandsOnce()
    {
        var approval = ControlRecords.LateEventApproved("k", Sample.Usage(), "first", Sample.Noon);
        await _ledger.AppendAsync(0, [approval], _cancellation);

        var again = await _ledger.AppendAsync(0, [ControlRecords.LateEventApproved("k", Sample.Usage(), "second", Sample.Noon)], _cancellation);

        Assert.False(again[0].Appended);
        Assert.Equal(1, (await _ledger.HeadAsync(0, _cancellation)).Position);
    }

    public async Task Find_ByKey_KeepsSpacesAndTenantsApart()
    {
        var usage = Sample.Record("late/k/approved") with { Session = "s" };
        await _ledger.AppendAsync(0, [usage, ControlRecords.LateEventApproved("k", Sample.Usage(), "", Sample.Noon)], _cancellation);
        RecordKey[] keys = [new(KeySpace.Client, "late/k/approved"), new(KeySpace.Control, "late/k/approved"), new(KeySpace.Client, "none")];

        var found = await _ledger.FindAsync(keys, _cancellation);

        Assert.Equal(2, found.Count);
        Assert.Equal(new LedgerEntry(0, 1, usage), found[keys[0]]);
        Assert.Equal(2, found[keys[1]].Position);
        Assert.Empty(await _ledger.FindAsync([], _cancellation));
        Assert.Empty(await subject.Of("nobody").Ledger.FindAsync(keys, _cancellation));
    }

    public async Task ReadControls_OfAKind_AreInOrderAndInPages()
    {
        for (var round = 0; round < 5; round++)
        {
            await _ledger.AppendAsync(
                0, [Sample.Record($"k{round}"), Anchor($"a{round}", "cus_1"), ControlRecords.SessionExcluded($"s{round}", 0, "", Sample.Noon)],
                _cancellation);
        }

        await _ledger.AppendAsync(1, [Anchor("other", "cus_2")], _cancellation);

        var read = new List<Countable>();
        while (await _ledger.ReadControlsAsync(
            0, RecordKind.AnchorChanged, read.Count > 0 ? read[^1].Position : 0, 2, _cancellation) is { Count: > 0 } page)
        {
            read.AddRange(page);
        }

        Assert.Equal([2, 5, 8, 11, 14], read.Select(record => record.Position));
        Assert.All(read, record => Assert.Equal(RecordKind.AnchorChanged, record.Kind));
        Assert.Empty(await _ledger.ReadControlsAsync(0, RecordKind.CounterRepaired, 0, 2, _cancellation));
        Assert.Empty(await subject.Of("nobody").Ledger.ReadControlsAsync(0, RecordKind.AnchorChanged, 0, 2, _cancellation));
    }

    public async Task Query_ControlsOfAllMetrics_AreUnderTheEmptyOne()
    {
        var anchor = Anchor("a", "cus_1");
        await _ledger.AppendAsync(ShardOf("cus_1"), [Sample.Record("k"), anchor], _cancellation);
        var query = new EventQuery { Customer = "cus_1", Controls = true };

        Assert.Equal([anchor], (await _ledger.QueryAsync(query with { Metric = "" }, _cancellation)).Select(entry => entry.Record));
        Assert.DoesNotContain(await _ledger.QueryAsync(query with { Metric = "api_calls" }, _cancellation), entry => entry.Record.Event is null);
        Assert.DoesNotContain(await _ledger.QueryAsync(query with { Controls = false }, _cancellation), entry => entry.Record.Event is null);
    }

    public async Task Series_AnyFilter_InOrderAndInPages()
    {
        var all = new List<(int Shard, string Session, EventSeries Series)>();
        foreach (var customer in Sample.Texts[^6..])
        {
            var shard = ShardOf(customer);
            foreach (var (metric, session) in ((string, string)[])[("b", ""), ("a", "s"), ("😀", "s"), ("a", "t")])
            {
                var usage = Sample.Usage() with { Metric = metric, Customer = customer };
                await _ledger.AppendAsync(shard, [Sample.Record($"{customer}{metric}{session}", usage) with { Session = session }], _cancellation);
                all.Add((shard, session, new EventSeries(customer, metric)));
            }

            await _ledger.AppendAsync(shard, [Anchor(customer, customer)], _cancellation);
        }

        SeriesQuery[] queries =
        [
            new(), new() { Session = "s" }, new() { Session = "t", Shard = ShardOf("😀") }, new() { Shard = ShardOf("日本") },
            new() { Customer = "日本" }, new() { Customer = "日本", Session = "s" }, new() { Customer = "none" }, new() { Session = "none" },
        ];
        foreach (var query in queries)
        {
            var expected = all.Where(entry => (query.Shard is null || query.Shard == entry.Shard)
                    && (query.Session is null || query.Session == entry.Session)
                    && (query.Customer is null || query.Customer == entry.Series.Customer))
                .Select(entry => entry.Series).Distinct()
                .OrderBy(series => series.Customer, CodePointOrder.Instance).ThenBy(series => series.Metric, CodePointOrder.Instance);
            Assert.Equal(expected, await PageAsync(query with { Limit = 3 }));
        }
    }

    private static LedgerRecord Anchor(string id, string customer) => ControlRecords.AnchorChanged(
        id, customer, Sample.Noon, new PeriodAnchor(31, 61), Sample.Noon, "stripe", Sample.Noon);

    private static LedgerRecord[] EveryKind() =>
    [
        ControlRecords.AdjustmentApproved("1", "ä", "cus_1", Sample.Noon, Quantity.Parse("-0.000000000001"), "api:sm", Sample.Noon),
        ControlRecords.AdjustmentReverted("1", "ä", "cus_1", Sample.Noon, Quantity.Parse("-0.000000000001"), "", Sample.Noon),
        ControlRecords.LateEventApproved("k/😀", Sample.Usage(), "a", Sample.Noon),
        ControlRecords.LateEventReverted("k/😀", Sample.Usage(), "a", Sample.Noon),
        ControlRecords.SessionExcluded("s", 1, "a", Sample.Noon),
        ControlRecords.AnchorChanged("1", "cus_1", Sample.Noon, new PeriodAnchor(31, 1439), Instant.Minimum, "a", Sample.Noon),
        ControlRecords.CounterRepaired("1", "m", "cus_1", Instant.Maximum, "a", Sample.Noon),
        Sample.Record("plain"), Sample.Record("of a session") with { Session = "ä/1" },
    ];

    private static RecordKey KeyOf(LedgerRecord record) => new(record.Space, record.Key);

    private static int ShardOf(string customer) => Shards.Of(customer, StoreUnderTest.ShardCount);

    private async Task<List<EventSeries>> PageAsync(SeriesQuery query)
    {
        var listed = new List<EventSeries>();
        while (await _ledger.SeriesAsync(query, _cancellation) is { Count: > 0 } page)
        {
            listed.AddRange(page);
            query = query with { After = (page[^1].Customer, page[^1].Metric) };
        }

        return listed;
    }
}
