using StripeMeter.Kits.Storage;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Storage.Sqlite;

namespace StripeMeter.Storage.Tests.Sqlite;

/// <summary>SQLite files in a folder of their own.</summary>
internal sealed class SqliteEngine : IStorageEngine
{
    public const EngineParts Parts = EngineParts.All & ~EngineParts.PositionedRecords;

    public string Folder { get; } = Directory.CreateTempSubdirectory("stripemeter-storage-").FullName;

    public Task<IMeterStore> OpenAsync(int newTenantShards, CancellationToken cancellation) =>
        Task.FromResult<IMeterStore>(new SqliteMeterStore(Folder, newTenantShards, tailRecords: 16));

    public IPositionedRecords PositionedRecordsOf(IMeterStore store, TenantId tenant) =>
        throw new NotSupportedException("An append is one transaction.");

    public ValueTask DisposeAsync()
    {
        Directory.Delete(Folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}
