using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Kits.Storage;

/// <summary>What an engine has, and so which points of the kit apply to it.</summary>
[Flags]
public enum EngineParts
{
    None = 0,
    Ledger = 1,

    /// <summary>It appends through <see cref="AppendProtocol"/>.</summary>
    PositionedRecords = 2,
    Projection = 4,
    Mappings = 8,
    Work = 16,

    /// <summary>Its data outlives the store that wrote it.</summary>
    Restart = 32,
    Deltas = 64,
    Documents = 128,
    All = Ledger | PositionedRecords | Projection | Mappings | Work | Restart | Deltas | Documents,
}

/// <summary>An engine over data of its own, empty at first, gone when it is disposed.</summary>
public interface IStorageEngine : IAsyncDisposable
{
    /// <summary>Opens the data. The caller disposes one store before it opens another.</summary>
    /// <param name="newTenantShards">Shards of tenants that are seen for the first time.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    Task<IMeterStore> OpenAsync(int newTenantShards, CancellationToken cancellation);

    /// <summary>The single-document operations of a tenant, of an engine with <see cref="EngineParts.PositionedRecords"/>.</summary>
    IPositionedRecords PositionedRecordsOf(IMeterStore store, TenantId tenant);
}
