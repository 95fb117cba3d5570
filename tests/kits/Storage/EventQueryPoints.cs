using StripeMeter.Metering.Text;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;
using Xunit;

namespace StripeMeter.Kits.Storage;

/// <summary><see cref="EventQuery"/>: every listing equals that of the same records, control records among them, sorted and filtered in memory.</summary>
internal sealed class EventQueryPoints(StoreUnderTest subject)
{
    private const int Events = 160;
    private const int Queries = 80;

    private static readonly string[] Sessions = ["", "session-1", "ä/2"];

    private readonly ILedger _ledger = subject.Acme.Ledger;
    private readonly CancellationToken _cancellation = subject.Cancellation;
    private readonly Random _random = new(20260314);

    public async Task Query_InEveryOrder_PagesNeitherOverlapNorSkip()
    {
        var entries = await AppendAsync();
        foreach (var order in Enum.GetValues<EventOrder>())
        {
            foreach (var ascending in (bool[])[true, false])
            {
                var query = new EventQuery { Order = order, Ascending = ascending };
                Assert.Equal(Expect(entries, query), await PageAsync(query, pageEntries: 13));
            }
        }
    }

    public async Task Query_WithAnyFilters_ListsAndCountsWhatTheyKeep()
    {
        var entries = await AppendAsync();
        for (var number = 0; number < Queries; number++)
        {
            var query = NextQuery();
            var expected = Expect(entries, query);

            Assert.Equal(expected, await PageAsync(query, pageEntries: _random.Next(1, 60)));
            Assert.Equal(expected.Count, await _ledger.CountAsync(query with { Limit = 1, Offset = 5 }, _cancellation));
        }
    }

    public async Task Query_WithOffset_PassesOverEntriesBehindTheCursor()
    {
        var expected = Expect(await AppendAsync(), new EventQuery());
        var cursor = EventCursor.Of(expected[9], EventOrder.Timestamp);

        Assert.Equal(expected.Skip(30).Take(20), await _ledger.QueryAsync(new EventQuery { Offset = 30, Limit = 20 }, _cancellation));
        Assert.Equal(
            expected.Skip(40).Take(20),
            await _ledger.QueryAsync(new EventQuery { After = cursor, Offset = 30, Limit = 20 }, _cancellation));
        Assert.Empty(await _ledger.QueryAsync(new EventQuery { Offset = Events }, _cancellation));
    }

    public async Task Query_BehindAnEntryThatIsNotThere_StartsWhereItWouldStand()
    {
        var expected = Expect(await AppendAsync(), new EventQuery { Order = EventOrder.Customer, Ascending = true });
        var customer = expected[^1].Record.Customer;
        var before = expected.Count(entry => entry.Record.Customer != customer);
        var cursor = new EventCursor(customer, Instant.Minimum, 0, 0);

        var listed = await _ledger.QueryAsync(
            new EventQuery { Order = EventOrder.Customer, Ascending = true, After = cursor }, _cancellation);

        Assert.Equal(expected.Skip(before), listed);
    }

    public async Task Query_TimeRange_IsInclusiveAtBothEnds()
    {
        await _ledger.AppendAsync(
            0, [.. Enumerable.Range(0, 5).Select(number => At($"k{number}", new Instant(number)))], _cancellation);

        var listed = await _ledger.QueryAsync(
            new EventQuery { From = new Instant(1), To = new Instant(3), Ascending = true }, _cancellation);

        Assert.Equal(["k1", "k2", "k3"], listed.Select(entry => entry.Record.Key));
        Assert.Empty(await _ledger.QueryAsync(new EventQuery { From = new Instant(3), To = new Instant(1) }, _cancellation));
    }

    public async Task Query_OfATenantWithoutEvents_IsEmpty()
    {
        var nobody = subject.Of("nobody").Ledger;

        Assert.Empty(await nobody.QueryAsync(new EventQuery(), _cancellation));
        Assert.Equal(0, await nobody.CountAsync(new EventQuery(), _cancellation));
    }

    private static LedgerRecord At(string key, Instant timestamp) =>
        Sample.Record(key, Sample.Usage() with { Timestamp = timestamp });

    private static IReadOnlyList<LedgerEntry> Expect(IReadOnlyList<LedgerEntry> entries, EventQuery query)
    {
        var kept = entries.Where(entry => entry.Position <= query.UpTo && Keeps(query, entry.Record));
        var sorted = kept.OrderBy(entry => SortText(query.Order, entry.Record), CodePointOrder.Instance)
            .ThenBy(entry => entry.Record.Timestamp).ThenBy(entry => entry.Shard).ThenBy(entry => entry.Position);
        return query.Ascending ? [.. sorted] : [.. sorted.Reverse()];
    }

    private static bool Keeps(EventQuery query, LedgerRecord record)
    {
        return (query.Controls || record.Event is not null)
            && (query.Metric is null || record.Metric == query.Metric)
            && (query.Customer is null || record.Customer == query.Customer)
            && (query.Source is null || record.Event?.Source == query.Source)
            && (query.Late is null || record.Late == query.Late)
            && (query.Session is null || record.Session == query.Session)
            && record.Timestamp >= query.From && record.Timestamp <= query.To;
    }

    // Sources have one digit, so their texts sort as they do.
    private static string SortText(EventOrder order, LedgerRecord record) => order switch
    {
        EventOrder.Metric => record.Metric,
        EventOrder.Customer => record.Customer,
        EventOrder.Source => $"{(int)(record.Event?.Source ?? 0)}",
        _ => "",
    };

    private async Task<List<LedgerEntry>> PageAsync(EventQuery query, int pageEntries)
    {
        var listed = new List<LedgerEntry>();
        query = query with { Limit = pageEntries };
        while (true)
        {
            var page = await _ledger.QueryAsync(query, _cancellation);
            listed.AddRange(page);
            if (page.Count < pageEntries)
                return listed;
            query = query with { After = EventCursor.Of(page[^1], query.Order) };
        }
    }

    private EventQuery NextQuery()
    {
        var (from, to) = (_random.Next(0, 12), _random.Next(0, 12));
        return new EventQuery
        {
            Metric = Maybe(NextText()), Customer = Maybe(NextText()), Late = MaybeValue(_random.Next(2) == 0),
            Source = MaybeValue((EventSource)_random.Next(1, 6)),
            From = _random.Next(2) == 0 ? Instant.Minimum : new Instant(from),
            To = _random.Next(2) == 0 ? Instant.Maximum : new Instant(Math.Max(from, to)),
            Session = Maybe(Sessions[_random.Next(1, Sessions.Length)]), Controls = _random.Next(2) == 0,
            UpTo = _random.Next(3) == 0 ? _random.Next(0, 60) : long.MaxValue,
            Order = (EventOrder)_random.Next(1, 5), Ascending = _random.Next(2) == 0,
        };
    }

    private string? Maybe(string value) => _random.Next(3) == 0 ? value : null;

    private T? MaybeValue<T>(T value) where T : struct => _random.Next(4) == 0 ? value : null;

    /// <summary>Few distinct values, so that filters keep something and ties have to be broken.</summary>
    private string NextText() => Sample.Texts[^_random.Next(1, 6)];

    private async Task<IReadOnlyList<LedgerEntry>> AppendAsync()
    {
        var entries = new List<LedgerEntry>();
        var shards = await _ledger.ShardCountAsync(_cancellation);
        var all = Enumerable.Range(0, Events).Select(number => NextRecord($"k-{number}"));
        foreach (var shard in all.GroupBy(record => Shards.Of(record.Customer, shards)))
        {
            // In several appends, so that an engine that puts work off has some done and some to do.
            var position = 0;
            foreach (var records in shard.Chunk(10))
            {
                await _ledger.AppendAsync(shard.Key, records, _cancellation);
                entries.AddRange(records.Select(record => new LedgerEntry(shard.Key, ++position, record)));
            }
        }

        // What another tenant has, and junk, is in no listing.
        await subject.Of("other").Ledger.AppendAsync(0, Sample.Records("k", 5), _cancellation);
        Assert.Equal(Events, entries.Count);
        return entries;
    }

    private LedgerRecord NextRecord(string key)
    {
        var (metric, customer, timestamp) = (NextText(), NextText(), new Instant(_random.Next(0, 12)));
        if (_random.Next(8) == 0)
            return ControlRecords.AdjustmentApproved(key, metric, customer, timestamp, new Quantity(-1), "somebody", Sample.Noon);
        var usage = new UsageEvent(
            metric, customer, _random.Next(2) == 0 ? "" : NextText(), new Quantity(_random.NextInt64(1, long.MaxValue)),
            timestamp, _random.Next(2) == 0 ? "" : """{"a":1}""", (EventSource)_random.Next(1, 6));
        return Sample.Record(key, usage, late: _random.Next(4) == 0) with { Session = Sessions[_random.Next(Sessions.Length)] };
    }
}
