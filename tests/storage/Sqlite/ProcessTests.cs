using StripeMeter.Metering.Ledger;
using StripeMeter.Storage.Sqlite;

namespace StripeMeter.Storage.Tests.Sqlite;

/// <summary>Files that other processes write, and die over.</summary>
public sealed class ProcessTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("stripemeter-storage-").FullName;
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(60));

    [Fact]
    public async Task Append_KilledAtAnyMoment_LosesNothingAcknowledgedAndLeavesNoGap()
    {
        var acknowledged = -1;
        foreach (var batchesBeforeDeath in (int[])[1, 7, 40])
        {
            acknowledged = await WriteAndDieAsync(acknowledged + 1, batchesBeforeDeath);
            await using var store = new SqliteMeterStore(_folder);
            var records = await ReadAllAsync(store);

            Assert.Equal(Enumerable.Range(1, records.Count), records.Select(record => (int)record.Position));
            // Batches are whole: what was not acknowledged is there as a whole or not at all.
            Assert.Equal(0, records.Count % LedgerWriter.BatchRecords);
            Assert.InRange(records.Count / LedgerWriter.BatchRecords, acknowledged + 1, acknowledged + 2);
            Assert.Equal(Enumerable.Range(0, records.Count).Select(index => $"k{index}"), records.Select(record => record.Key));
        }
    }

    [Fact]
    public async Task Append_ByTwoProcessesOfTheSameKeys_EachKeyStandsOnceWithoutGaps()
    {
        const int Batches = 60;
        using var one = new LedgerWriter(_folder, firstBatch: 0, Batches);
        using var other = new LedgerWriter(_folder, firstBatch: 0, Batches);

        var appended = (await Task.WhenAll(CountNewAsync(one), CountNewAsync(other))).Sum();

        await using var store = new SqliteMeterStore(_folder);
        var records = await ReadAllAsync(store);
        Assert.Equal(Batches * LedgerWriter.BatchRecords, appended);
        Assert.Equal(Enumerable.Range(1, appended), records.Select(record => (int)record.Position));
        Assert.Equal(appended, records.Select(record => record.Key).Distinct().Count());
        Assert.Equal(new ShardHead((await HeadAsync(store)).LogId, appended, 0), await HeadAsync(store));
    }

    public void Dispose()
    {
        _limit.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>The last batch that was acknowledged.</summary>
    private async Task<int> WriteAndDieAsync(int firstBatch, int batchesBeforeDeath)
    {
        using var writer = new LedgerWriter(_folder, firstBatch, LedgerWriter.MaximumBatches);
        var acknowledged = -1;
        while (await writer.ReadAsync(_limit.Token) is { } batch)
        {
            acknowledged = batch.Number;
            if (acknowledged == firstBatch + batchesBeforeDeath)
                writer.Kill();
        }

        // The writer must have died at work.
        Assert.NotEqual(0, await writer.ExitAsync(_limit.Token));
        return acknowledged;
    }

    private async Task<int> CountNewAsync(LedgerWriter writer)
    {
        var appended = 0;
        while (await writer.ReadAsync(_limit.Token) is { } batch)
            appended += batch.New;
        Assert.Equal(0, await writer.ExitAsync(_limit.Token));
        return appended;
    }

    private Task<ShardHead> HeadAsync(SqliteMeterStore store) =>
        store.Of(LedgerWriter.Tenant).Ledger.HeadAsync(LedgerWriter.Shard, _limit.Token);

    private Task<IReadOnlyList<Countable>> ReadAllAsync(SqliteMeterStore store) => store.Of(LedgerWriter.Tenant).Ledger.ReadAsync(
        LedgerWriter.Shard, 0, LedgerWriter.MaximumBatches * LedgerWriter.BatchRecords, _limit.Token);
}
