using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Sqlite;
using StripeMeter.Storage.Documents;

namespace StripeMeter.Storage.Sqlite;

/// <summary>The shard logs of one tenant in SQLite. An append is one transaction, so it leaves no holes.</summary>
internal sealed class SqliteLedger(StoreFile file, LedgerNames names, TenantId tenant, int newTenantShards, int tailRecords)
    : ILedger
{
    private const string InsertRecord =
        """
        INSERT INTO records (shard_id, position, key_hash, space, key, kind, received, late, fingerprint, series_id,
            timestamp, quantity, source, resource, meta, session, control)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)
        """;

    private const string CountableColumns = "position, kind, key, late, series_id, timestamp, quantity, session, control";

    private const string FindByKey =
        """
        SELECT shard_id, position, fingerprint, late FROM records
        WHERE key_hash = ?1 AND key = ?2 AND space = ?3 AND shard_id BETWEEN ?4 AND ?5
        """;

    public async ValueTask<int> ShardCountAsync(CancellationToken cancellation) =>
        (await IdentifyAsync(cancellation).ConfigureAwait(false)).ShardCount;

    public async Task<IReadOnlyList<AppendOutcome>> AppendAsync(
        int shard, IReadOnlyList<LedgerRecord> records, CancellationToken cancellation)
    {
        var identity = await IdentifyAsync(cancellation).ConfigureAwait(false);
        var shardId = identity.ShardId(shard);
        return await file.WriteAsync(session => Append(session, identity, shardId, records), cancellation).ConfigureAwait(false);
    }

    public Task<ShardHead> HeadAsync(int shard, CancellationToken cancellation) => file.ReadAsync(
        session => Find(session) is { } identity ? ReadHead(session, identity.ShardId(shard)) : ShardHead.Empty, cancellation);

    public Task<IReadOnlyList<Countable>> ReadAsync(
        int shard, long afterPosition, int limit, CancellationToken cancellation) => file.ReadAsync<IReadOnlyList<Countable>>(
        session => Find(session) is { } identity ? Read(session, identity.ShardId(shard), afterPosition, limit) : [], cancellation);

    public async Task FillAsync(int shard, long position, Instant now, CancellationToken cancellation)
    {
        var identity = await IdentifyAsync(cancellation).ConfigureAwait(false);
        var shardId = identity.ShardId(shard);
        var junk = LedgerRecord.JunkAt(shard, position, now);
        var isReserved = await file.WriteAsync(
            session =>
            {
                if (position < 1 || position > ReadHead(session, shardId).Position)
                    return false;
                using var taken = session.Prepare("SELECT 1 FROM records WHERE shard_id = ?1 AND position = ?2");
                if (!taken.Bind(1, shardId).Bind(2, position).Step())
                    Insert(session, identity, shardId, position, junk, KeyHash(identity, KeyOf(junk)));
                return true;
            },
            cancellation).ConfigureAwait(false);
        if (!isReserved)
            throw new ArgumentOutOfRangeException(nameof(position), position, "Only reserved positions are filled.");
    }

    public Task<IReadOnlyDictionary<RecordKey, LedgerEntry>> FindAsync(
        IReadOnlyCollection<RecordKey> keys, CancellationToken cancellation) =>
        file.ReadAsync<IReadOnlyDictionary<RecordKey, LedgerEntry>>(
            session =>
            {
                var found = new Dictionary<RecordKey, LedgerEntry>();
                if (Find(session) is not { } identity)
                    return found;
                foreach (var key in keys)
                {
                    if (Find(session, identity, key, KeyHash(identity, key)) is { } standing)
                        found[key] = SqliteEventQuery.Get(session, identity, standing.Shard, standing.Position);
                }

                return found;
            },
            cancellation);

    public Task<IReadOnlyList<Countable>> ReadControlsAsync(
        int shard, RecordKind kind, long afterPosition, int limit, CancellationToken cancellation) =>
        file.ReadAsync<IReadOnlyList<Countable>>(
            session =>
            {
                var records = new List<Countable>();
                if (Find(session) is not { } identity)
                    return records;
                using var query = session.Prepare(
                    $"""
                    SELECT {CountableColumns} FROM records INDEXED BY records_of_control
                    WHERE shard_id = ?1 AND kind = ?2 AND control IS NOT NULL AND position > ?3 ORDER BY position LIMIT ?4
                    """);
                query.Bind(1, identity.ShardId(shard)).Bind(2, (long)kind).Bind(3, afterPosition).Bind(4, limit);
                while (query.Step())
                    records.Add(ReadCountable(session, query));
                return records;
            },
            cancellation);

    public Task<IReadOnlyList<EventSeries>> SeriesAsync(SeriesQuery query, CancellationToken cancellation) =>
        file.ReadAsync<IReadOnlyList<EventSeries>>(
            session => Find(session) is { } identity ? SqliteSeriesQuery.Run(session, identity, query) : [], cancellation);

    public Task<IReadOnlyList<LedgerEntry>> QueryAsync(EventQuery query, CancellationToken cancellation) =>
        file.ReadAsync<IReadOnlyList<LedgerEntry>>(
            session => Find(session) is { } identity ? SqliteEventQuery.Run(session, identity, query) : [], cancellation);

    public Task<long> CountAsync(EventQuery query, CancellationToken cancellation) => file.ReadAsync(
        session => Find(session) is { } identity ? SqliteEventQuery.Count(session, identity, query) : 0, cancellation);

    /// <summary>The tenant's number and shard count. Both are fixed when the tenant is first seen.</summary>
    private async ValueTask<TenantIdentity> IdentifyAsync(CancellationToken cancellation) =>
        names.TryFind(tenant, out var identity)
            ? identity
            : names.Remember(tenant, await file.WriteAsync(Identify, cancellation).ConfigureAwait(false));

    private TenantIdentity Identify(SqliteSession session)
    {
        using (var insert = session.Prepare("INSERT INTO tenants (name, shard_count) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING"))
            insert.Bind(1, tenant.Value).Bind(2, newTenantShards).Run();
        return Select(session) ?? throw new InvalidOperationException("A tenant that was inserted must be there.");
    }

    /// <summary>The tenant as reads find it; null if it was never seen, for reading makes no tenants.</summary>
    private TenantIdentity? Find(SqliteSession session)
    {
        if (names.TryFind(tenant, out var known))
            return known;
        return Select(session) is { } identity ? names.Remember(tenant, identity) : null;
    }

    private TenantIdentity? Select(SqliteSession session)
    {
        using var select = session.Prepare("SELECT id, shard_count FROM tenants WHERE name = ?1");
        return select.Bind(1, tenant.Value).Step() ? new TenantIdentity(select.Number(0), select.SmallNumber(1)) : null;
    }

    private List<AppendOutcome> Append(
        SqliteSession session, TenantIdentity identity, long shardId, IReadOnlyList<LedgerRecord> records)
    {
        var shard = (int)(shardId - identity.FirstShardId);
        var head = ReadHead(session, shardId);
        var position = head.Position;
        var outcomes = new List<AppendOutcome>(records.Count);
        foreach (var record in records)
        {
            var key = KeyOf(record);
            var keyHash = KeyHash(identity, key);
            if (Find(session, identity, key, keyHash) is { } standing)
            {
                outcomes.Add(standing);
                continue;
            }

            Insert(session, identity, shardId, ++position, record, keyHash);
            outcomes.Add(new AppendOutcome(true, shard, position, record.Fingerprint, record.Late));
        }

        if (position > head.Position)
        {
            RaiseHead(session, shardId, position);
            EnterSeries(session, shardId, position);
        }

        return outcomes;
    }

    private void Insert(
        SqliteSession session, TenantIdentity identity, long shardId, long position, LedgerRecord record, long keyHash)
    {
        using var insert = session.Prepare(InsertRecord);
        insert.Bind(1, shardId).Bind(2, position).Bind(3, keyHash).Bind(4, (long)record.Space)
            .Bind(5, record.Key).Bind(6, (long)record.Kind).Bind(7, record.Received.Ticks).Bind(8, record.Late);
        if (record.Event is { } usage)
        {
            Span<byte> quantity = stackalloc byte[16];
            usage.Quantity.WriteBytes(quantity);
            Span<byte> fingerprint = stackalloc byte[Fingerprint.Length];
            record.Fingerprint.WriteBytes(fingerprint);
            insert.Bind(9, fingerprint).Bind(10, names.SeriesOf(session, identity.Id, usage.Customer, usage.Metric))
                .Bind(11, usage.Timestamp.Ticks).Bind(12, quantity).Bind(13, (long)usage.Source)
                .Bind(14, usage.Resource.Length > 0 ? usage.Resource : null).Bind(15, usage.Meta.Length > 0 ? usage.Meta : null)
                .Bind(16, record.Session.Length > 0 ? record.Session : null);
        }
        else if (record.Control is { } control)
        {
            insert.Bind(11, control.At.Ticks).Bind(13, 0).Bind(17, ControlJson.Write(control));
            if (control.Customer.Length > 0)
                insert.Bind(10, names.SeriesOf(session, identity.Id, control.Customer, control.Metric));
        }

        insert.Run();
    }

    /// <summary>The record that stands under a key; null if none does.</summary>
    private static AppendOutcome? Find(SqliteSession session, TenantIdentity identity, RecordKey key, long keyHash)
    {
        using var query = session.Prepare(FindByKey);
        query.Bind(1, keyHash).Bind(2, key.Key).Bind(3, (long)key.Space).Bind(4, identity.FirstShardId)
            .Bind(5, identity.LastShardId);
        if (!query.Step())
            return null;
        var fingerprint = query.IsNull(2) ? default : Fingerprint.FromBytes(query.Blob(2));
        return new AppendOutcome(
            false, (int)(query.Number(0) - identity.FirstShardId), query.Number(1), fingerprint, query.Flag(3));
    }

    /// <summary>
    /// What the index of keys holds instead of the keys: random keys dirty a page each, and short entries make few pages.
    /// Records whose hashes are equal are told apart by their keys.
    /// </summary>
    private static long KeyHash(TenantIdentity identity, RecordKey key)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long) + 1 + Encoding.UTF8.GetMaxByteCount(key.Key.Length)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, identity.Id);
        bytes[sizeof(long)] = (byte)key.Space;
        var length = Encoding.UTF8.GetBytes(key.Key, bytes[(sizeof(long) + 1)..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..(sizeof(long) + 1 + length)], hash);
        return BinaryPrimitives.ReadInt64BigEndian(hash);
    }

    private static RecordKey KeyOf(LedgerRecord record) => new(record.Space, record.Key);

    private static ShardHead ReadHead(SqliteSession session, long shardId)
    {
        using var query = session.Prepare("SELECT log_id, head, displacements FROM shards WHERE id = ?1");
        return query.Bind(1, shardId).Step()
            ? new ShardHead(query.Text(0), query.Number(1), query.SmallNumber(2))
            : ShardHead.Empty;
    }

    private static void RaiseHead(SqliteSession session, long shardId, long position)
    {
        using var upsert = session.Prepare(
            "INSERT INTO shards (id, log_id, head, displacements) VALUES (?1, ?2, ?3, 0) ON CONFLICT (id) DO UPDATE SET head = excluded.head");
        upsert.Bind(1, shardId).Bind(2, Guid.NewGuid().ToString("N")).Bind(3, position).Run();
    }

    /// <summary>Gives the records of a shard their entries once its tail has grown long.</summary>
    private void EnterSeries(SqliteSession session, long shardId, long head)
    {
        using var tail = session.Prepare("SELECT entered FROM shards WHERE id = ?1");
        tail.Bind(1, shardId).Step();
        var entered = tail.Number(0);
        if (head - entered < tailRecords)
            return;
        using var enter = session.Prepare(
            """
            INSERT INTO series_entries (series_id, timestamp, shard_id, position)
            SELECT series_id, timestamp, shard_id, position FROM records
            WHERE shard_id = ?1 AND position > ?2 AND series_id IS NOT NULL
            ORDER BY series_id, timestamp, position
            """);
        enter.Bind(1, shardId).Bind(2, entered).Run();
        using var raise = session.Prepare("UPDATE shards SET entered = ?2 WHERE id = ?1");
        raise.Bind(1, shardId).Bind(2, head).Run();
    }

    private List<Countable> Read(SqliteSession session, long shardId, long afterPosition, int limit)
    {
        using var query = session.Prepare(
            $"SELECT {CountableColumns} FROM records WHERE shard_id = ?1 AND position > ?2 ORDER BY position LIMIT ?3");
        query.Bind(1, shardId).Bind(2, afterPosition).Bind(3, limit);
        var records = new List<Countable>();
        while (query.Step())
            records.Add(ReadCountable(session, query));
        return records;
    }

    private Countable ReadCountable(SqliteSession session, in SqliteStatement row)
    {
        var (position, kind) = (row.Number(0), (RecordKind)row.SmallNumber(1));
        if (kind != RecordKind.Event)
        {
            return row.IsNull(8)
                ? new Countable(position, kind, "", "", default, default, row.Text(2), false)
                : Countable.OfControl(position, kind, row.Text(2), ControlJson.Read(row.Text(8)));
        }

        var (customer, metric) = names.NamesOf(session, row.Number(4));
        return new Countable(
            position, kind, metric, customer, Quantity.FromBytes(row.Blob(6)), new Instant(row.Number(5)), row.Text(2), row.Flag(3),
            row.IsNull(7) ? "" : row.Text(7));
    }
}
