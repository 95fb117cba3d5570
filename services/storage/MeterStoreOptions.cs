namespace StripeMeter.Storage;

/// <summary>Where data is kept.</summary>
public enum StorageEngine
{
    /// <summary>SQLite files in <see cref="MeterStoreOptions.DataDirectory"/>: one machine.</summary>
    Sqlite,

    /// <summary>A MongoDB replica set.</summary>
    Mongo,
}

/// <summary>Which store to open. Only what concerns the engine is looked at.</summary>
public sealed record MeterStoreOptions
{
    public StorageEngine Engine { get; init; } = StorageEngine.Sqlite;

    /// <summary>Folder of the SQLite files; created if missing.</summary>
    public string DataDirectory { get; init; } = "./data";

    /// <summary>Connection string; names the replica set.</summary>
    public string MongoUrl { get; init; } = "mongodb://localhost:27017/?replicaSet=rs0";

    /// <summary>Database of the services; made by the first write.</summary>
    public string MongoDatabase { get; init; } = "stripemeter";

    /// <summary>Shards of a tenant that is seen for the first time, 1 to 1024. Those of other tenants stay as they are.</summary>
    public int NewTenantShards { get; init; } = Metering.Ledger.Shards.DefaultCount;
}
