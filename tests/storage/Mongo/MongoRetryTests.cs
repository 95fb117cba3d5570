using MongoDB.Bson;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Storage.Mongo;

namespace StripeMeter.Storage.Tests.Mongo;

/// <summary>Commands that fail as they do while another primary is elected: they are tried again, and done once.</summary>
public sealed class MongoRetryTests(MongoServer server) : IClassFixture<MongoServer>, IAsyncLifetime
{
    private static readonly Dictionary<string, BsonDocument> Failures = new()
    {
        ["answer lost"] = new() { { "closeConnection", true }, { "afterwards", true } },
        ["never arrived"] = new("closeConnection", true),
        ["torn"] = new() { { "closeConnection", true }, { "statements", 1 } },
        ["not a primary any more"] = new("errorCode", 10107),
        ["shutting down"] = new("errorCode", 11600),
        ["to be tried again"] = new() { { "errorCode", 8 }, { "errorLabels", new BsonArray { "RetryableWriteError" } } },
    };

    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(60));
    private MongoEngine? _engine;
    private IMeterStore? _store;

    public static TheoryData<string> Kinds => [.. Failures.Keys];

    public static TheoryData<string> KindsOfReads => [.. Failures.Keys.Except(["torn", "to be tried again"])];

    private ITenantStore Acme => _store!.Of(new TenantId("acme"));

    private CancellationToken Limit => _limit.Token;

    public async ValueTask InitializeAsync()
    {
        if (server.Missing is not null || server.IsReal)
            return;
        _engine = new MongoEngine(server);
        _store = await _engine.OpenAsync(Shards.DefaultCount, Limit);
        await _store.PrepareAsync(Limit);
        await Acme.Ledger.ShardCountAsync(Limit);
    }

    public async ValueTask DisposeAsync()
    {
        if (_store is not null)
            await _store.DisposeAsync();
        if (_engine is not null)
            await _engine.DisposeAsync();
        _limit.Dispose();
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Append_InsertThatFailsOnce_IsDoneOnceAndAnsweredAsNew(string failure)
    {
        server.RequireDouble();
        await server.FailNextAsync("insert", Failures[failure]);

        var outcomes = await Acme.Ledger.AppendAsync(0, [Event("a"), Event("b"), Event("c")], Limit);

        Assert.Equal([(true, 1L), (true, 2L), (true, 3L)], outcomes.Select(outcome => (outcome.Appended, outcome.Position)));
        Assert.Equal(["a", "b", "c"], (await Acme.Ledger.ReadAsync(0, 0, 10, Limit)).Select(record => record.Key));
    }

    [Theory, MemberData(nameof(KindsOfReads))]
    public async Task Append_ReservationThatFailsOnce_LeavesAHoleAtMost(string failure)
    {
        server.RequireDouble();
        await server.FailNextAsync("findAndModify", Failures[failure]);

        var outcome = (await Acme.Ledger.AppendAsync(0, [Event("a")], Limit)).Single();

        Assert.True(outcome is { Appended: true, Position: 1 or 2 });
        Assert.Equal(outcome.Position, (await Acme.Ledger.HeadAsync(0, Limit)).Position);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Projection_WritesThatFailOnce_AreDone(string failure)
    {
        server.RequireDouble();
        CounterRow[] rows = [Row("cus_1"), Row("cus_2")];
        RecountItem[] items = [new("log", 1, RecountScope.OfSession("s1")), new("log", 1, RecountScope.OfSession("s2"))];

        await server.FailNextAsync("update", Failures[failure]);
        Assert.Empty(await Acme.Projection.WriteAsync(rows, Limit));
        await server.FailNextAsync("update", Failures[failure]);
        await Acme.Projection.AddRecountsAsync(0, items, Limit);
        await server.FailNextAsync("update", Failures[failure]);
        await Acme.Projection.RaiseAsync(0, new ShardProgress("log", 1), Limit);

        Assert.Equal(rows, (await Acme.Projection.DirtyAsync(10, Limit)).OrderBy(row => row.Counter.Key.Customer, StringComparer.Ordinal));
        Assert.Equal(2, (await Acme.Projection.RecountsAsync(0, 10, Limit)).Count);
        Assert.Equal(new ShardProgress("log", 1), await Acme.Projection.ProgressAsync(0, Limit));
    }

    [Theory, MemberData(nameof(KindsOfReads))]
    public async Task Read_ThatFailsOnce_IsAnswered(string failure)
    {
        server.RequireDouble();
        await Acme.Ledger.AppendAsync(0, [Event("a")], Limit);
        await server.FailNextAsync("find", Failures[failure]);

        Assert.Equal(["a"], (await Acme.Ledger.ReadAsync(0, 0, 10, Limit)).Select(record => record.Key));
    }

    /// <summary>Whether a compare-and-set was refused by its own first try cannot be told, so it is left to its caller.</summary>
    [Fact]
    public async Task Documents_WriteWhoseAnswerIsLost_IsUnavailable()
    {
        server.RequireDouble();
        await server.FailNextAsync("insert", Failures["answer lost"]);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => Acme.Documents.WriteAsync(
            Metering.Documents.DocumentKind.Backfill, [new("a", "{}", 0)], Limit));
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public async Task Append_RivalWritersWhileCommandsFail_EachKeyStandsOnceWithoutGaps(int seed)
    {
        server.RequireDouble();
        var random = new Random(seed);
        string[] commands = ["insert", "findAndModify", "find"];
        var writers = new RivalWriters(server, Limit) { Writers = 3, Batches = 12, BatchKeys = 5 };

        await writers.WriteAndCheckAsync(async writing =>
        {
            while (!writing.IsCompleted)
            {
                var failure = Failures.Values.ElementAt(random.Next(Failures.Count));
                await server.FailNextAsync(commands[random.Next(commands.Length)], failure, random.Next(1, MongoFailures.MaximumTries + 2));
            }

            await server.CommandAsync(new BsonDocument { { "configureFailPoint", "failCommand" }, { "mode", "off" } });
        });
    }

    private static LedgerRecord Event(string key)
    {
        var usage = new UsageEvent("calls", "cus_1", "", Quantity.One, default, "", EventSource.Http);
        return LedgerRecord.OfEvent(key, Fingerprint.Of(usage), usage, default(Instant), late: false);
    }

    private static CounterRow Row(string customer)
    {
        var period = PeriodClock.CalendarMonths.PeriodOf(customer, default);
        var counter = Counter.Empty(new CounterKey("calls", customer, period.Start), period)
            .With(new Countable(1, RecordKind.Event, "calls", customer, Quantity.One, default, "a", Late: false));
        return new CounterRow(counter, 0, "log", default);
    }
}
