using MongoDB.Bson;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Storage.Mongo;

namespace StripeMeter.Storage.Tests.Mongo;

/// <summary>Commands that fail as they do while another primary is elected: they are tried again, and done once.</summary>
public sealed class MongoRetryTests(MongoServer server) : DoubleTests(server)
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

    public static TheoryData<string> Kinds => [.. Failures.Keys];

    public static TheoryData<string> KindsOfReads => [.. Failures.Keys.Except(["torn", "to be tried again"])];

    [Theory, MemberData(nameof(Kinds))]
    public async Task Append_InsertThatFailsOnce_IsDoneOnceAndAnsweredAsNew(string failure)
    {
        Server.RequireDouble();
        await Acme.Ledger.ShardCountAsync(Limit);
        await Server.FailNextAsync("insert", Failures[failure]);

        var outcomes = await AppendAsync("a", "b", "c");

        Assert.Equal([(true, 1L), (true, 2L), (true, 3L)], outcomes.Select(outcome => (outcome.Appended, outcome.Position)));
        Assert.Equal(["a", "b", "c"], (await ReadAsync()).Select(record => record.Key));
    }

    [Theory, MemberData(nameof(KindsOfReads))]
    public async Task Append_ReservationThatFailsOnce_LeavesAHoleAtMost(string failure)
    {
        Server.RequireDouble();
        await Acme.Ledger.ShardCountAsync(Limit);
        await Server.FailNextAsync("findAndModify", Failures[failure]);

        var outcome = (await AppendAsync("a")).Single();

        Assert.True(outcome is { Appended: true, Position: 1 or 2 });
        Assert.Equal(outcome.Position, (await Acme.Ledger.HeadAsync(0, Limit)).Position);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Projection_WritesThatFailOnce_AreDone(string failure)
    {
        Server.RequireDouble();
        CounterRow[] rows = [Row("cus_1"), Row("cus_2")];
        RecountItem[] items = [new("log", 1, RecountScope.OfSession("s1")), new("log", 1, RecountScope.OfSession("s2"))];

        await Server.FailNextAsync("update", Failures[failure]);
        Assert.Empty(await Acme.Projection.WriteAsync(rows, Limit));
        await Server.FailNextAsync("update", Failures[failure]);
        await Acme.Projection.AddRecountsAsync(0, items, Limit);
        await Server.FailNextAsync("update", Failures[failure]);
        await Acme.Projection.RaiseAsync(0, new ShardProgress("log", 1), Limit);

        Assert.Equal(rows, (await Acme.Projection.DirtyAsync(10, Limit)).OrderBy(row => row.Counter.Key.Customer, StringComparer.Ordinal));
        Assert.Equal(2, (await Acme.Projection.RecountsAsync(0, 10, Limit)).Count);
        Assert.Equal(new ShardProgress("log", 1), await Acme.Projection.ProgressAsync(0, Limit));
    }

    [Theory, MemberData(nameof(KindsOfReads))]
    public async Task Read_ThatFailsOnce_IsAnswered(string failure)
    {
        Server.RequireDouble();
        await AppendAsync("a");
        await Server.FailNextAsync("find", Failures[failure]);

        Assert.Equal(["a"], (await ReadAsync()).Select(record => record.Key));
    }

    /// <summary>Whether a compare-and-set was refused by its own first try cannot be told, so it is left to its caller.</summary>
    [Fact]
    public async Task Documents_WriteWhoseAnswerIsLost_IsUnavailable()
    {
        Server.RequireDouble();
        await Server.FailNextAsync("insert", Failures["answer lost"]);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => Acme.Documents.WriteAsync(
            Metering.Documents.DocumentKind.Backfill, [new("a", "{}", 0)], Limit));
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public async Task Append_RivalWritersWhileCommandsFail_EachKeyStandsOnceWithoutGaps(int seed)
    {
        Server.RequireDouble();
        var random = new Random(seed);
        string[] commands = ["insert", "findAndModify", "find"];
        var writers = new RivalWriters(Server, Limit) { Writers = 3, Batches = 12, BatchKeys = 5 };

        await writers.WriteAndCheckAsync(async writing =>
        {
            while (!writing.IsCompleted)
            {
                var failure = Failures.Values.ElementAt(random.Next(Failures.Count));
                await Server.FailNextAsync(commands[random.Next(commands.Length)], failure, random.Next(1, MongoFailures.MaximumTries + 2));
            }

            await Server.CommandAsync(new BsonDocument { { "configureFailPoint", "failCommand" }, { "mode", "off" } });
        });
    }
}
