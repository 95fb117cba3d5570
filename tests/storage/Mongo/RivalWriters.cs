using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Storage.Tests.Mongo;

/// <summary>
/// Writers with a store each that all append the same records to one shard, so that each key has as many rivals as there are
/// writers, while something goes wrong.
/// </summary>
internal sealed class RivalWriters(MongoServer server, CancellationToken limit)
{
    private const int PatienceMs = 20;

    public int Writers { get; init; } = 8;

    public int Batches { get; init; } = 40;

    public int BatchKeys { get; init; } = 25;

    /// <summary>Every key stands once, where each writer was told that it does, and once the holes are filled there is no gap.</summary>
    /// <param name="disturb">Goes on while they write.</param>
    public async Task WriteAndCheckAsync(Func<Task, Task> disturb)
    {
        await using var engine = new MongoEngine(server);
        var stores = new List<IMeterStore>();
        for (var writer = 0; writer < Writers; writer++)
            stores.Add(await engine.OpenAsync(newTenantShards: 1, limit));
        await stores[0].PrepareAsync(limit);

        var writing = Task.WhenAll(stores.Select(store => Task.Run(() => WriteAsync(LedgerOf(store)))));
        await disturb(writing);
        var places = (await writing).SelectMany(answers => answers).ToLookup(answer => answer.Key, answer => answer.Position);
        var records = await FillAndReadAsync(LedgerOf(stores[0]));
        foreach (var store in stores)
            await store.DisposeAsync();

        Assert.Equal(Batches * BatchKeys, places.Count);
        Assert.All(places, key => Assert.Single(key.Distinct()));
        Assert.Equal(Enumerable.Range(1, records.Count), records.Select(record => (int)record.Position));
        Assert.Equal(
            places.Select(key => (key.First(), key.Key)).Order(),
            records.Where(record => record.Kind == RecordKind.Event).Select(record => (record.Position, record.Key)));
    }

    private static ILedger LedgerOf(IMeterStore store) => store.Of(new TenantId("acme")).Ledger;

    private async Task<List<(string Key, long Position)>> WriteAsync(ILedger ledger)
    {
        var answers = new List<(string, long)>();
        for (var batch = 0; batch < Batches; batch++)
        {
            var records = Enumerable.Range(batch * BatchKeys, BatchKeys).Select(Record).ToArray();
            var outcomes = await UntilAvailableAsync(() => ledger.AppendAsync(0, records, limit));
            answers.AddRange(records.Zip(outcomes, (record, outcome) => (record.Key, outcome.Position)));
        }

        return answers;
    }

    private async Task<IReadOnlyList<Countable>> FillAndReadAsync(ILedger ledger)
    {
        var head = await UntilAvailableAsync(() => ledger.HeadAsync(0, limit));
        var standing = await UntilAvailableAsync(() => ledger.ReadAsync(0, 0, int.MaxValue, limit));
        foreach (var position in Enumerable.Range(1, (int)head.Position).Select(Convert.ToInt64).Except(standing.Select(record => record.Position)))
            await ledger.FillAsync(0, position, default, limit);
        return await ledger.ReadAsync(0, 0, int.MaxValue, limit);
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
                await Task.Delay(TimeSpan.FromMilliseconds(PatienceMs), TimeProvider.System, limit);
            }
        }
    }

    private static LedgerRecord Record(int number)
    {
        var usage = new UsageEvent("calls", "cus_1", "", Quantity.FromInteger(number + 1), default, "", EventSource.Http);
        return LedgerRecord.OfEvent($"k{number}", Fingerprint.Of(usage), usage, default, late: false);
    }
}
