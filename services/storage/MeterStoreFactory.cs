using Microsoft.Data.Sqlite;
using MongoDB.Driver;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Storage.Mongo;
using StripeMeter.Storage.Sqlite;

namespace StripeMeter.Storage;

/// <summary>Opens the store an installation is configured for.</summary>
public static class MeterStoreFactory
{
    private const int MaximumDatabaseName = 63;

    /// <exception cref="InvalidStoreOptionException">The option it names cannot be used, and why.</exception>
    public static IMeterStore Create(MeterStoreOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.NewTenantShards is < 1 or > Shards.MaximumCount)
            throw new InvalidStoreOptionException(nameof(options.NewTenantShards), $"must be 1 to {Shards.MaximumCount}");
        return options.Engine switch
        {
            StorageEngine.Sqlite => OpenSqlite(options),
            StorageEngine.Mongo => OpenMongo(options, clock),
            _ => throw new InvalidStoreOptionException(nameof(options.Engine), $"'{options.Engine}' is no engine"),
        };
    }

    /// <summary>Fewer characters than MongoDB takes: those no operating system and no shell stumbles over.</summary>
    private static bool IsDatabaseName(string name) =>
        name.Length is >= 1 and <= MaximumDatabaseName && name.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_');

    private static SqliteMeterStore OpenSqlite(MeterStoreOptions options)
    {
        if (string.IsNullOrWhiteSpace(options.DataDirectory))
            throw new InvalidStoreOptionException(nameof(options.DataDirectory), "must name a folder");
        try
        {
            return new SqliteMeterStore(options.DataDirectory, options.NewTenantShards);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or InvalidDataException or SqliteException)
        {
            throw new InvalidStoreOptionException(
                nameof(options.DataDirectory), $"'{options.DataDirectory}' cannot be used: {problem.Message}", problem);
        }
    }

    private static MongoMeterStore OpenMongo(MeterStoreOptions options, TimeProvider clock)
    {
        if (!IsDatabaseName(options.MongoDatabase))
        {
            throw new InvalidStoreOptionException(
                nameof(options.MongoDatabase), $"must be 1 to {MaximumDatabaseName} letters, digits, - or _, not '{options.MongoDatabase}'");
        }

        try
        {
            return new MongoMeterStore(options.MongoUrl, options.MongoDatabase, clock, options.NewTenantShards);
        }
        catch (Exception problem) when (problem is MongoConfigurationException or ArgumentException)
        {
            // The address may hold a password, so it is not repeated.
            throw new InvalidStoreOptionException(nameof(options.MongoUrl), $"is no connection string of MongoDB: {problem.Message}", problem);
        }
    }
}
