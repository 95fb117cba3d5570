using MongoDB.Bson;
using MongoDB.Driver;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Storage.Tests.Mongo;

/// <summary>What only a real replica set shows: writers that truly run at once, and a majority that changes its mind.</summary>
public sealed class ReplicaSetTests(MongoServer server) : IClassFixture<MongoServer>, IDisposable
{
    private const int Writers = 8;
    private const int Batches = 40;
    private const int BatchKeys = 25;
    private const int PatienceMs = 200;

    private readonly CancellationTokenSource _limit = new(TimeSpan.FromMinutes(2));

    [Fact]
    public async Task Append_ManyWritersAtOnce_EachKeyStandsOnceWithoutGaps()
    {
        server.RequireReal("concurrency");
        await WriteAndCheckAsync(() => Task.CompletedTask);
    }

    [Fact]
    public async Task Append_WhileThePrimaryStepsDown_LosesNothingAcknowledged()
    {
        server.RequireReal("write concern and failover");
        await WriteAndCheckAsync(StepDownAsync);
    }

    public void Dispose() => _limit.Dispose();

    private async Task WriteAndCheckAsync(Func<Task> disturb)
    {
        await using var engine = new MongoEngine(server);
        await using var store = await engine.OpenAsync(newTenantShards: 1, _limit.Token);
        await store.PrepareAsync(_limit.Token);
        var ledger = store.Of(new TenantId("acme")).Ledger;

        // Every writer sends all batches, so that each key has as many rivals as there are writers.
        var writers = Enumerable.Range(0, Writers).Select(_ => Task.Run(() => WriteAsync(ledger))).ToArray();
        await disturb();
        var places = (await Task.WhenAll(writers)).SelectMany(answers => answers).ToLookup(answer => answer.Key, answer => answer.Position);

        var records = await FillAndReadAsync(ledger);
        Assert.Equal(Batches * BatchKeys, places.Count);
        Assert.All(places, key => Assert.Single(key.Distinct()));
        Assert.Equal(Enumerable.Range(1, records.Count), records.Select(record => (int)record.Position));
        Assert.Equal(
            places.Select(key => (key.First(), key.Key)).Order(),
            records.Where(record => record.Kind == RecordKind.Event).Select(record => (record.Position, record.Key)));
    }

    private async Task<List<(string Key, long Position)>> WriteAsync(ILedger ledger)
    {
        var answers = new List<(string, long)>();
        for (var batch = 0; batch < Batches; batch++)
        {
            var records = Enumerable.Range(batch * BatchKeys, BatchKeys).Select(Record).ToArray();
            var outcomes = await UntilAvailableAsync(() => ledger.AppendAsync(0, records, _limit.Token));
            answers.AddRange(records.Zip(outcomes, (record, outcome) => (record.Key, outcome.Position)));
        }

        return answers;
    }

    private async Task<IReadOnlyList<Countable>> FillAndReadAsync(ILedger ledger)
    {
        var head = await UntilAvailableAsync(() => ledger.HeadAsync(0, _limit.Token));
        var standing = await ledger.ReadAsync(0, 0, int.MaxValue, _limit.Token);
        foreach (var position in Enumerable.Range(1, (int)head.Position).Select(Convert.ToInt64).Except(standing.Select(record => record.Position)))
            await ledger.FillAsync(0, position, default, _limit.Token);
        return await ledger.ReadAsync(0, 0, int.MaxValue, _limit.Token);
    }

    /// <summary>Another member is elected, or the only one again; writes fail meanwhile, and some get lost.</summary>
    private async Task StepDownAsync()
    {
        try
        {
            await server.CommandAsync(new BsonDocument { { "replSetStepDown", 5 }, { "force", true } });
        }
        catch (MongoException)
        {
            // A member that steps down may close the connection before it has answered.
        }
    }

    private async Task<T> UntilAvailableAsync<T>(Func<Task<T>> operation)
    {
        while (true)
        {
            try
            {
                return await operation();
            }
            catch (StoreUnavailableException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(PatienceMs), TimeProvider.System, _limit.Token);
            }
        }
    }

    private static LedgerRecord Record(int number)
    {
        var usage = new UsageEvent("calls", "cus_1", "", Quantity.FromInteger(number + 1), default, "", EventSource.Http);
        return LedgerRecord.OfEvent($"k{number}", Fingerprint.Of(usage), usage, default, late: false);
    }
}
