using MongoDB.Driver;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Mappings;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Storage.Mongo;

/// <summary>
/// The engine for many machines: a database of a MongoDB replica set. Writes are acknowledged by a majority and journaled,
/// reads see only what a majority holds, and nothing needs more than one document to change at once.
/// </summary>
public sealed class MongoMeterStore : IMeterStore
{
    private readonly MongoClient _client;
    private readonly MongoCollections _collections;
    private readonly MongoTenants _tenants;
    private readonly TimeProvider _clock;

    /// <param name="url">Connection string.</param>
    /// <param name="database">Name of the database.</param>
    /// <param name="clock">Dates the junk that fills positions nobody used.</param>
    /// <param name="newTenantShards">Shards of a tenant that is seen for the first time.</param>
    public MongoMeterStore(string url, string database, TimeProvider clock, int newTenantShards = Shards.DefaultCount)
    {
        var settings = MongoClientSettings.FromConnectionString(url);
        settings.ApplicationName ??= "stripemeter";
        _client = new MongoClient(settings);
        _collections = new MongoCollections(_client.GetDatabase(database));
        _tenants = new MongoTenants(_collections, newTenantShards);
        _clock = clock;
        Work = new MongoWorkFinder(_collections);
        Directory = new MongoDocuments(_collections, owner: "");
    }

    public IWorkFinder Work { get; }

    public IDocuments Directory { get; }

    public ITenantStore Of(TenantId tenant) => new TenantStore(this, tenant);

    public Task PrepareAsync(CancellationToken cancellation) => _collections.PrepareAsync(cancellation);

    public Task CheckAsync(CancellationToken cancellation) => _collections.CheckAsync(cancellation);

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    internal MongoRecords RecordsOf(TenantId tenant) => new(_collections, tenant);

    private sealed class TenantStore(MongoMeterStore store, TenantId tenant) : ITenantStore
    {
        public TenantId Tenant => tenant;

        public ILedger Ledger { get; } = new MongoLedger(store._collections, store._tenants, tenant, store._clock);

        public IProjection Projection { get; } = new MongoProjection(store._collections, tenant);

        public IMappings Mappings { get; } = new MongoMappings(store._collections, tenant);

        public IDeltaLedger Deltas { get; } = new MongoDeltaLedger(store._collections, tenant);

        public IDocuments Documents { get; } = new MongoDocuments(store._collections, tenant.Value);
    }
}
