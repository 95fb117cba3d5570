using System.Collections.Concurrent;
using MongoDB.Driver;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;
using StripeMeter.Storage.Mongo.Documents;

namespace StripeMeter.Storage.Mongo;

/// <summary>The shard counts of tenants, fixed when a tenant is first seen.</summary>
internal sealed class MongoTenants(MongoCollections collections, int newTenantShards)
{
    /// <summary>Tenants remembered; beyond that they are forgotten and read again.</summary>
    public const int MaximumTenants = 200_000;

    private readonly ConcurrentDictionary<TenantId, int> _shardCounts = [];

    public async ValueTask<int> ShardCountAsync(TenantId tenant, CancellationToken cancellation)
    {
        if (_shardCounts.TryGetValue(tenant, out var known))
            return known;
        var shardCount = await MongoFailures.RepeatAsync(
            async () => await FindAsync(tenant, cancellation).ConfigureAwait(false)
                ?? await CreateAsync(tenant, cancellation).ConfigureAwait(false)).ConfigureAwait(false);
        if (_shardCounts.Count >= MaximumTenants)
            _shardCounts.Clear();
        return _shardCounts[tenant] = shardCount;
    }

    private async Task<int?> FindAsync(TenantId tenant, CancellationToken cancellation)
    {
        var found = await collections.Tenants.Find(candidate => candidate.Id == tenant.Value)
            .FirstOrDefaultAsync(cancellation).ConfigureAwait(false);
        return found?.ShardCount;
    }

    private async Task<int> CreateAsync(TenantId tenant, CancellationToken cancellation)
    {
        try
        {
            await collections.Tenants.InsertOneAsync(
                new TenantDocument { Id = tenant.Value, ShardCount = newTenantShards }, cancellationToken: cancellation).ConfigureAwait(false);
            return newTenantShards;
        }
        catch (MongoException failure) when (MongoFailures.IsDuplicate(failure))
        {
            // Another process was first; its count is ours once a majority holds it.
            return await FindAsync(tenant, cancellation).ConfigureAwait(false)
                ?? throw new StoreUnavailableException("The tenant is not held by a majority yet.", failure);
        }
    }
}
