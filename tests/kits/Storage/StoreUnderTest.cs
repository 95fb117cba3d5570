using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Kits.Storage;

/// <summary>The store a point works on, and the point's time limit.</summary>
internal sealed class StoreUnderTest : IAsyncDisposable
{
    public const int ShardCount = 4;

    private readonly IStorageEngine _engine;

    private StoreUnderTest(IStorageEngine engine, IMeterStore store, CancellationToken cancellation) =>
        (_engine, Store, Cancellation) = (engine, store, cancellation);

    public IMeterStore Store { get; private set; }

    public CancellationToken Cancellation { get; }

    /// <summary>The tenant of points that need only one.</summary>
    public ITenantStore Acme => Of("acme");

    public static async Task<StoreUnderTest> OpenAsync(IStorageEngine engine, CancellationToken cancellation) =>
        new(engine, await OpenStoreAsync(engine, ShardCount, cancellation).ConfigureAwait(false), cancellation);

    public ITenantStore Of(string tenant) => Store.Of(new TenantId(tenant));

    public IPositionedRecords PositionedRecordsOf(string tenant) => _engine.PositionedRecordsOf(Store, new TenantId(tenant));

    /// <summary>Closes the store and opens its data again.</summary>
    public async Task ReopenAsync(int newTenantShards = ShardCount)
    {
        await Store.DisposeAsync().ConfigureAwait(false);
        Store = await OpenStoreAsync(_engine, newTenantShards, Cancellation).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync() => Store.DisposeAsync();

    private static async Task<IMeterStore> OpenStoreAsync(
        IStorageEngine engine, int newTenantShards, CancellationToken cancellation)
    {
        var store = await engine.OpenAsync(newTenantShards, cancellation).ConfigureAwait(false);
        await store.PrepareAsync(cancellation).ConfigureAwait(false);
        await store.CheckAsync(cancellation).ConfigureAwait(false);
        return store;
    }
}
