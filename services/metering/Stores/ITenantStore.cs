using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Mappings;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Stores;

/// <summary>
/// Everything stored of one tenant. There is no other way to a tenant's data than through this handle, so no query can
/// forget its tenant.
/// </summary>
public interface ITenantStore
{
    TenantId Tenant { get; }

    ILedger Ledger { get; }

    IProjection Projection { get; }

    IMappings Mappings { get; }

    IDeltaLedger Deltas { get; }

    IDocuments Documents { get; }
}

/// <summary>The storage engine of an installation.</summary>
public interface IMeterStore : IAsyncDisposable
{
    ITenantStore Of(TenantId tenant);

    /// <summary>Tells which tenants and shards have work; never what is in them.</summary>
    IWorkFinder Work { get; }

    /// <summary>Documents of the installation, which are no tenant's: its organisations, and of which tenant a key is.</summary>
    IDocuments Directory { get; }

    /// <summary>Creates what is missing (tables, indexes). Called once at start.</summary>
    Task PrepareAsync(CancellationToken cancellation);

    /// <summary>Throws if the engine cannot serve reads and writes now.</summary>
    Task CheckAsync(CancellationToken cancellation);
}

/// <summary>Finds work across tenants for the sweeps.</summary>
public interface IWorkFinder
{
    /// <summary>Shard heads in a stable order behind <paramref name="after"/> (null: from the first), at most <paramref name="limit"/>.</summary>
    Task<IReadOnlyList<ShardWork>> HeadsAsync(ShardId? after, int limit, CancellationToken cancellation);

    /// <summary>Shards with counters to count anew, in a stable order behind <paramref name="after"/> (null: from the first), at most <paramref name="limit"/>.</summary>
    Task<IReadOnlyList<ShardId>> ShardsToRecountAsync(ShardId? after, int limit, CancellationToken cancellation);

    /// <summary>Tenants with dirty counters, at most <paramref name="limit"/>, behind <paramref name="after"/> in the order of their bytes in UTF-8.</summary>
    Task<IReadOnlyList<TenantId>> TenantsWithDirtyCountersAsync(TenantId? after, int limit, CancellationToken cancellation);

    /// <summary>Tenants with active mappings, at most <paramref name="limit"/>, behind <paramref name="after"/> in the order of their bytes in UTF-8.</summary>
    Task<IReadOnlyList<TenantId>> TenantsWithMappingsAsync(TenantId? after, int limit, CancellationToken cancellation);

    /// <summary>Whose active mapping feeds a meter; null if none does.</summary>
    /// <param name="stripeAccount">As the mapping names it.</param>
    /// <param name="meterId">The meter.</param>
    /// <param name="cancellation">Ends the search.</param>
    Task<TenantId?> TenantOfMeterAsync(string stripeAccount, string meterId, CancellationToken cancellation);

    /// <summary>Tenants with delta documents that are due, at most <paramref name="limit"/>, behind <paramref name="after"/> in the order of their bytes in UTF-8.</summary>
    Task<IReadOnlyList<TenantId>> TenantsWithDueDeltasAsync(
        Instant now, TenantId? after, int limit, CancellationToken cancellation);

    /// <summary>Tenants with documents of a kind, at most <paramref name="limit"/>, behind <paramref name="after"/> in the order of their bytes in UTF-8.</summary>
    Task<IReadOnlyList<TenantId>> TenantsWithDocumentsAsync(
        DocumentKind kind, TenantId? after, int limit, CancellationToken cancellation);

    /// <summary>What Stripe has not accepted yet.</summary>
    Task<DeltaBacklog> DeltaBacklogAsync(CancellationToken cancellation);

    /// <summary>Whose intent this is, open or closed; null if it is nobody's. Identifiers are unique everywhere.</summary>
    Task<DeltaPlace?> PlaceOfIntentAsync(string identifier, CancellationToken cancellation);

    /// <summary>Documents of a Stripe customer on any meter, at most <paramref name="limit"/>.</summary>
    Task<IReadOnlyList<DeltaPlace>> PlacesOfCustomerAsync(
        string account, bool livemode, string stripeCustomer, int limit, CancellationToken cancellation);
}

/// <summary>How far a shard is written and projected.</summary>
public readonly record struct ShardWork(ShardId Shard, ShardHead Head, ShardProgress Progress);
