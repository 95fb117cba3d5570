using StripeMeter.Kits.Reference;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Storage;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>Reads what a system keeps on its disk, running or not, and holds the counters against the ledger.</summary>
internal sealed class StoredBooks(string dataDirectory) : IAsyncDisposable
{
    private const int PageRows = 1_000;

    private readonly IMeterStore _store = MeterStoreFactory.Create(
        new MeterStoreOptions { DataDirectory = dataDirectory }, TimeProvider.System);

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    /// <summary>Whether all that was appended is counted, and nothing is left to be counted anew.</summary>
    public async Task<bool> RestAsync()
    {
        var shards = await ShardsAsync();
        var recounts = await _store.Work.ShardsToRecountAsync(null, 1, CancellationToken.None);
        return recounts.Count == 0 && shards.All(work => work.Progress == new ShardProgress(work.Head.LogId, work.Head.Position));
    }

    /// <summary>Positions taken, of all tenants.</summary>
    public async Task<long> PositionsAsync() => (await ShardsAsync()).Sum(work => work.Head.Position);

    /// <summary>Every event and control record, of all tenants.</summary>
    public async Task<IReadOnlyList<LoggedRecord>> LogAsync()
    {
        var log = new List<LoggedRecord>();
        foreach (var tenant in await TenantsAsync())
        {
            var query = new EventQuery { Controls = true, Ascending = true, Limit = PageRows };
            IReadOnlyList<LedgerEntry> page;
            do
            {
                page = await _store.Of(tenant).Ledger.QueryAsync(query, CancellationToken.None);
                log.AddRange(page.Select(entry => new LoggedRecord(tenant, entry.Shard, entry.Position, entry.Record)));
                if (page.Count > 0)
                    query = query with { After = EventCursor.Of(page[^1], query.Order) };
            }
            while (page.Count == PageRows);
        }

        return log;
    }

    /// <summary>What does not balance; empty if the counters are the reference meter's, bit for bit.</summary>
    public async Task<IReadOnlyList<string>> DifferencesAsync()
    {
        var counters = new List<TenantCounter>();
        foreach (var tenant in await TenantsAsync())
        {
            var query = new CounterQuery { Limit = PageRows };
            IReadOnlyList<CounterRow> page;
            do
            {
                page = await _store.Of(tenant).Projection.ListAsync(query, CancellationToken.None);
                counters.AddRange(page.Select(row => new TenantCounter(tenant, row.Counter)));
                if (page.Count > 0)
                    query = query with { After = page[^1].Counter.Key };
            }
            while (page.Count == PageRows);
        }

        return Books.Differences(await LogAsync(), counters);
    }

    private async Task<IEnumerable<TenantId>> TenantsAsync() => (await ShardsAsync()).Select(work => work.Shard.Tenant).Distinct();

    private async Task<List<ShardWork>> ShardsAsync()
    {
        var shards = new List<ShardWork>();
        while (await _store.Work.HeadsAsync(shards.Count == 0 ? null : shards[^1].Shard, PageRows, CancellationToken.None) is { Count: > 0 } page)
            shards.AddRange(page);
        return shards;
    }
}
