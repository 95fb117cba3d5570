using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Mappings;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Sqlite;

namespace StripeMeter.Storage.Sqlite;

/// <summary>
/// The engine for one machine: four SQLite files in one folder, which several processes may open. The ledger and what
/// concerns Stripe survive a loss of power once written; the counters may fall back then, rows and progress together,
/// and are folded again from the ledger.
/// </summary>
public sealed class SqliteMeterStore : IMeterStore
{
    /// <summary>Nothing reads the same documents again and again as appends do the index of keys.</summary>
    private const int DocumentCacheKibibytes = 8_192;

    private readonly StoreFile _ledger;
    private readonly StoreFile _counters;
    private readonly StoreFile _billing;
    private readonly StoreFile _documents;
    private readonly LedgerNames _names;
    private readonly int _newTenantShards;
    private readonly int _tailRecords;

    /// <param name="directory">Folder of the files; created if missing.</param>
    /// <param name="newTenantShards">Shards of a tenant that is seen for the first time.</param>
    /// <param name="tailRecords">Records of a shard that may be without entries of their series; see <see cref="LedgerSchema"/>.</param>
    public SqliteMeterStore(
        string directory, int newTenantShards = Shards.DefaultCount, int tailRecords = LedgerSchema.DefaultTailRecords)
    {
        (_newTenantShards, _tailRecords) = (newTenantShards, tailRecords);
        _ledger = Open("ledger.db", SqliteDurability.Power, LedgerSchema.Sql);
        _counters = Open("counters.db", SqliteDurability.Process, SqliteProjection.Schema);
        _billing = Open("billing.db", SqliteDurability.Power, SqliteMappings.Schema + SqliteDeltaLedger.Schema);
        _documents = Open("documents.db", SqliteDurability.Power, SqliteDocuments.Schema, DocumentCacheKibibytes);
        _names = new LedgerNames(_ledger);
        Work = new SqliteWorkFinder(_ledger, _counters, _billing, _documents);
        Directory = new SqliteDocuments(_documents, owner: "");

        StoreFile Open(string name, SqliteDurability durability, string schema, int cacheKibibytes = SqliteFileOptions.DefaultCacheKibibytes) =>
            new(new SqliteFileOptions
            {
                Path = Path.Combine(directory, name), Durability = durability, Schema = schema, CacheKibibytes = cacheKibibytes,
            });
    }

    public IWorkFinder Work { get; }

    public IDocuments Directory { get; }

    public ITenantStore Of(TenantId tenant) => new TenantStore(this, tenant);

    /// <summary>The files were made when they were opened.</summary>
    public Task PrepareAsync(CancellationToken cancellation) => Task.CompletedTask;

    public async Task CheckAsync(CancellationToken cancellation)
    {
        foreach (var file in (StoreFile[])[_ledger, _counters, _billing, _documents])
            await file.WriteAsync(static _ => { }, cancellation).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _ledger.DisposeAsync().ConfigureAwait(false);
        await _counters.DisposeAsync().ConfigureAwait(false);
        await _billing.DisposeAsync().ConfigureAwait(false);
        await _documents.DisposeAsync().ConfigureAwait(false);
    }

    private sealed class TenantStore(SqliteMeterStore store, TenantId tenant) : ITenantStore
    {
        public TenantId Tenant => tenant;

        public ILedger Ledger { get; } = new SqliteLedger(store._ledger, store._names, tenant, store._newTenantShards, store._tailRecords);

        public IProjection Projection { get; } = new SqliteProjection(store._counters, tenant);

        public IMappings Mappings { get; } = new SqliteMappings(store._billing, tenant);

        public IDeltaLedger Deltas { get; } = new SqliteDeltaLedger(store._billing, tenant);

        public IDocuments Documents { get; } = new SqliteDocuments(store._documents, tenant.Value);
    }
}
