using MongoDB.Bson;
using MongoDB.Driver;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Storage.Mongo;

namespace StripeMeter.Storage.Tests.Mongo;

/// <summary>Commands that fail, or of which nobody learns whether they did.</summary>
public sealed class MongoFaultTests(MongoServer server) : DoubleTests(server)
{
    private static readonly BsonDocument AnswerLost = new() { { "closeConnection", true }, { "afterwards", true } };
    private static readonly BsonDocument NeverArrived = new("closeConnection", true);
    private static readonly BsonDocument NoMajority =
        new("writeConcernError", new BsonDocument { { "code", 64 }, { "errmsg", "waiting for replication timed out" } });

    public static TheoryData<string> Uncertainties => ["answer lost", "no majority"];

    [Theory, MemberData(nameof(Uncertainties))]
    public async Task Append_InsertOfUnknownOutcome_IsUnavailableAndSafeToRepeat(string uncertainty)
    {
        Server.RequireDouble();
        await Acme.Ledger.ShardCountAsync(Limit);
        await FailAsync("insert", uncertainty);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => AppendAsync("a", "b"));
        var outcomes = await AppendAsync("a", "b", "c");

        Assert.Equal([(false, 1L), (false, 2L), (true, 3L)], outcomes.Select(outcome => (outcome.Appended, outcome.Position)));
        Assert.Equal(["a", "b", "c"], (await ReadAsync()).Select(record => record.Key));
    }

    [Fact]
    public async Task Append_InsertThatNeverArrived_LeavesAHoleThatReadersFill()
    {
        Server.RequireDouble();
        await Acme.Ledger.ShardCountAsync(Limit);
        await Server.FailNextAsync("insert", NeverArrived, MongoFailures.MaximumTries);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => AppendAsync("a"));
        Assert.Equal((true, 2), (await AppendAsync("a")).Select(outcome => (outcome.Appended, outcome.Position)).Single());
        Assert.Equal([2], (await ReadAsync()).Select(record => record.Position));
        await Acme.Ledger.FillAsync(0, 1, default, Limit);

        Assert.Equal([RecordKind.Junk, RecordKind.Event], (await ReadAsync()).Select(record => record.Kind));
    }

    [Theory, MemberData(nameof(Uncertainties))]
    public async Task Append_ReservationOfUnknownOutcome_IsUnavailable(string uncertainty)
    {
        Server.RequireDouble();
        await Acme.Ledger.ShardCountAsync(Limit);
        await FailAsync("findAndModify", uncertainty);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => AppendAsync("a"));

        Assert.Empty(await ReadAsync());
        Assert.True((await AppendAsync("a")).Single().Position > 1);
    }

    [Theory, MemberData(nameof(Uncertainties))]
    public async Task Fill_OfUnknownOutcome_CountsWhenItIsReadBack(string uncertainty)
    {
        Server.RequireDouble();
        await Records.ReserveAsync(0, 1, Limit);
        await FailAsync("insert", uncertainty);

        await Acme.Ledger.FillAsync(0, 1, default, Limit);

        Assert.Equal([RecordKind.Junk], (await ReadAsync()).Select(record => record.Kind));
    }

    [Fact]
    public async Task Fill_ThatNeverArrived_IsUnavailable()
    {
        Server.RequireDouble();
        await Records.ReserveAsync(0, 1, Limit);
        await Server.FailNextAsync("insert", NeverArrived, MongoFailures.MaximumTries);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => Acme.Ledger.FillAsync(0, 1, default, Limit));
    }

    [Fact]
    public async Task ShardCount_WithoutAMajority_IsNotReliedOn()
    {
        Server.RequireDouble();
        await Server.FailNextAsync("insert", NoMajority);

        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await Acme.Ledger.ShardCountAsync(Limit));

        Assert.Equal(Shards.DefaultCount, await Acme.Ledger.ShardCountAsync(Limit));
    }

    [Theory, MemberData(nameof(Uncertainties))]
    public async Task Projection_WritesOfUnknownOutcome_AreUnavailableAndSafeToRepeat(string uncertainty)
    {
        Server.RequireDouble();
        var row = Row("cus_1");

        await FailAsync("update", uncertainty);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Acme.Projection.WriteAsync([row], Limit));
        await Acme.Projection.WriteAsync([row], Limit);
        await FailAsync("update", uncertainty);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Acme.Projection.RaiseAsync(0, new ShardProgress("log", 1), Limit));
        await Acme.Projection.RaiseAsync(0, new ShardProgress("log", 1), Limit);

        Assert.Equal([row], await Acme.Projection.DirtyAsync(10, Limit));
        Assert.Equal(new ShardProgress("log", 1), await Acme.Projection.ProgressAsync(0, Limit));
    }

    [Fact]
    public async Task Check_WithoutAServer_IsUnavailable()
    {
        await using var store = new MongoMeterStore(
            "mongodb://127.0.0.1:1/?directConnection=true&serverSelectionTimeoutMS=100", "nowhere", TimeProvider.System);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.CheckAsync(Limit));
    }

    /// <summary>The kit shows that the engine asks for a majority everywhere, because the double refuses what does not.</summary>
    [Fact]
    public async Task Double_WhatDoesNotAskForAMajority_IsRefused()
    {
        Server.RequireDouble();
        using var client = new MongoClient(Server.Url);
        var records = client.GetDatabase(Database).GetCollection<BsonDocument>("records");

        await Assert.ThrowsAsync<MongoCommandException>(() => records.InsertOneAsync(new BsonDocument("a", 1), cancellationToken: Limit));
        await Assert.ThrowsAsync<MongoCommandException>(
            () => records.WithWriteConcern(WriteConcern.WMajority).InsertOneAsync(new BsonDocument("a", 1), cancellationToken: Limit));
        await Assert.ThrowsAsync<MongoCommandException>(
            () => records.Find(new BsonDocument()).ToListAsync(Limit));
    }

    /// <summary>As often as it is tried: what breaks once is tried again, and then it is no failure.</summary>
    private Task FailAsync(string command, string uncertainty) => uncertainty == "answer lost"
        ? Server.FailNextAsync(command, AnswerLost, MongoFailures.MaximumTries)
        : Server.FailNextAsync(command, NoMajority);
}
