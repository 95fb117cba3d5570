using MongoDB.Bson;
using StripeMeter.Kits.Storage;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Storage.Mongo;

namespace StripeMeter.Storage.Tests.Mongo;

/// <summary>A database of its own on a server.</summary>
internal sealed class MongoEngine(MongoServer server) : IStorageEngine
{
    public const EngineParts Parts = EngineParts.All;

    public string Database { get; } = $"stripemeter-test-{Guid.NewGuid():N}";

    public Task<IMeterStore> OpenAsync(int newTenantShards, CancellationToken cancellation) =>
        Task.FromResult<IMeterStore>(new MongoMeterStore(server.Url, Database, TimeProvider.System, newTenantShards));

    public IPositionedRecords PositionedRecordsOf(IMeterStore store, TenantId tenant) => ((MongoMeterStore)store).RecordsOf(tenant);

    public async ValueTask DisposeAsync() => await server.CommandAsync(new BsonDocument("dropDatabase", 1), Database);
}
