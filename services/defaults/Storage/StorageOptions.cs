using System.ComponentModel.DataAnnotations;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Storage;

namespace StripeMeter.Defaults.Storage;

/// <summary>Where the ledger, the counters and the delta ledger are kept.</summary>
public sealed class StorageOptions
{
    [Setting("STORAGE_ENGINE")]
    public StorageEngine Engine { get; set; } = StorageEngine.Sqlite;

    /// <summary>Folder of the SQLite files. Created if missing.</summary>
    [Setting("DATA_DIRECTORY"), Required]
    public string DataDirectory { get; set; } = "./data";

    /// <summary>Connection string. Names the replica set, as in mongodb://mongo:27017/?replicaSet=rs0.</summary>
    [Setting("MONGO_URL"), Required]
    public string MongoUrl { get; set; } = "mongodb://localhost:27017/?replicaSet=rs0";

    [Setting("MONGO_DATABASE"), Required]
    public string MongoDatabase { get; set; } = "stripemeter";
}
