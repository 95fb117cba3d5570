namespace StripeMeter.Storage.Sqlite;

/// <summary>
/// The ledger's tables. Records are clustered by shard and position, so that appends and folding are sequential; their
/// key is unique for ever. Metric and customer stand once, in their series. The index by time grows at its end, because
/// events come about in the order of time. Reading by (customer, metric, time) goes through the series' entries: written
/// with each record they would dirty a page a record, so they follow in bulk, sorted, and what has none yet, the tail of
/// its shard, is read as it is. Control records are few: the series of one that concerns all metrics of a customer has no
/// metric, and what has no column is JSON.
/// </summary>
internal static class LedgerSchema
{
    /// <summary>Tenant and shard in one number: a tenant has at most this many shards.</summary>
    public const int ShardStride = Metering.Ledger.Shards.MaximumCount;

    /// <summary>The same within SQL.</summary>
    public const string StrideText = "1024";

    /// <summary>Records of a shard that may be without entries. More make appends cheaper and reading by series dearer.</summary>
    public const int DefaultTailRecords = 8_192;

    public const string Sql =
        $"""
        CREATE TABLE IF NOT EXISTS tenants (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, shard_count INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS shards (
            id INTEGER PRIMARY KEY, log_id TEXT NOT NULL, head INTEGER NOT NULL, displacements INTEGER NOT NULL,
            entered INTEGER NOT NULL DEFAULT 0);
        CREATE TABLE IF NOT EXISTS series (
            id INTEGER PRIMARY KEY, tenant_id INTEGER NOT NULL, customer TEXT NOT NULL, metric TEXT NOT NULL,
            UNIQUE (tenant_id, customer, metric));
        CREATE TABLE IF NOT EXISTS records (
            shard_id INTEGER NOT NULL, position INTEGER NOT NULL, key_hash INTEGER NOT NULL, space INTEGER NOT NULL,
            key TEXT NOT NULL, kind INTEGER NOT NULL, received INTEGER NOT NULL, late INTEGER NOT NULL,
            fingerprint BLOB, series_id INTEGER, timestamp INTEGER, quantity BLOB, source INTEGER, resource TEXT, meta TEXT,
            session TEXT, control TEXT, PRIMARY KEY (shard_id, position)) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS records_by_key_hash ON records (key_hash);
        CREATE INDEX IF NOT EXISTS records_by_session ON records (shard_id / {StrideText}, session, series_id)
            WHERE session IS NOT NULL;
        CREATE INDEX IF NOT EXISTS records_of_control ON records (shard_id, kind, position) WHERE control IS NOT NULL;
        CREATE TABLE IF NOT EXISTS series_entries (
            series_id INTEGER NOT NULL, timestamp INTEGER NOT NULL, shard_id INTEGER NOT NULL, position INTEGER NOT NULL,
            PRIMARY KEY (series_id, timestamp, shard_id, position)) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS records_by_time ON records (shard_id / {StrideText}, timestamp) WHERE series_id IS NOT NULL;
        """;
}
