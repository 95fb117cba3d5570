using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Sqlite;

namespace StripeMeter.Storage.Sqlite;

/// <summary>The projected counters of one tenant in SQLite.</summary>
internal sealed partial class SqliteProjection(StoreFile file, TenantId tenant) : IProjection
{
    public const string Schema =
        """
        CREATE TABLE IF NOT EXISTS progress (
            tenant TEXT NOT NULL, shard INTEGER NOT NULL, log_id TEXT NOT NULL, position INTEGER NOT NULL,
            PRIMARY KEY (tenant, shard)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS recounts (
            tenant TEXT NOT NULL, shard INTEGER NOT NULL, log_id TEXT NOT NULL, customer TEXT NOT NULL, metric TEXT NOT NULL,
            start INTEGER NOT NULL, before INTEGER NOT NULL, session TEXT NOT NULL, recut INTEGER NOT NULL,
            PRIMARY KEY (tenant, shard, log_id, customer, metric, start, before, session)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS counters (
            tenant TEXT NOT NULL, metric TEXT NOT NULL, customer TEXT NOT NULL, period_start INTEGER NOT NULL,
            period_end INTEGER NOT NULL, sum BLOB NOT NULL, count INTEGER NOT NULL, min BLOB NOT NULL, max BLOB NOT NULL,
            last BLOB NOT NULL, last_timestamp INTEGER NOT NULL, last_key TEXT NOT NULL, recut_position INTEGER NOT NULL,
            position INTEGER NOT NULL, shard INTEGER NOT NULL, log_id TEXT NOT NULL, projected INTEGER NOT NULL,
            dirty_since INTEGER, PRIMARY KEY (tenant, metric, customer, period_start)) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS counters_by_customer ON counters (tenant, customer, period_start);
        CREATE INDEX IF NOT EXISTS counters_dirty ON counters (tenant, dirty_since) WHERE dirty_since IS NOT NULL;
        """;

    private const string Columns =
        "metric, customer, period_start, period_end, sum, count, min, max, last, last_timestamp, last_key, recut_position, position, shard, log_id, projected";

    private const string Upsert =
        $"""
        INSERT INTO counters (tenant, {Columns}, dirty_since)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?17)
        ON CONFLICT (tenant, metric, customer, period_start) DO UPDATE SET
            period_end = excluded.period_end, sum = excluded.sum, count = excluded.count, min = excluded.min,
            max = excluded.max, last = excluded.last, last_timestamp = excluded.last_timestamp,
            last_key = excluded.last_key, recut_position = excluded.recut_position, position = excluded.position,
            shard = excluded.shard, log_id = excluded.log_id, projected = excluded.projected,
            dirty_since = coalesce(dirty_since, excluded.dirty_since)
        WHERE excluded.log_id <> log_id OR (excluded.recut_position >= recut_position AND excluded.position >= position
            AND (excluded.recut_position, excluded.position) <> (recut_position, position))
        """;

    public Task<ShardProgress> ProgressAsync(int shard, CancellationToken cancellation) => file.ReadAsync(
        session => ReadProgress(session, new ShardId(tenant, shard)), cancellation);

    public Task<IReadOnlyDictionary<CounterKey, CounterRow>> LoadAsync(
        IReadOnlyCollection<CounterKey> keys, CancellationToken cancellation) =>
        file.ReadAsync<IReadOnlyDictionary<CounterKey, CounterRow>>(
            session =>
            {
                var rows = new Dictionary<CounterKey, CounterRow>(keys.Count);
                foreach (var key in keys)
                {
                    if (Find(session, key) is { } row)
                        rows[key] = row;
                }

                return rows;
            },
            cancellation);

    public Task<IReadOnlyList<CounterRow>> WriteAsync(IReadOnlyCollection<CounterRow> rows, CancellationToken cancellation) =>
        file.WriteAsync<IReadOnlyList<CounterRow>>(
            session =>
            {
                var standing = new List<CounterRow>();
                foreach (var row in rows)
                {
                    Write(session, row);
                    if (session.Changes == 0)
                        standing.Add(Find(session, row.Counter.Key)!);
                }

                return standing;
            },
            cancellation);

    public Task RaiseAsync(int shard, ShardProgress progress, CancellationToken cancellation) => file.WriteAsync(
        session =>
        {
            using var upsert = session.Prepare(
                """
                INSERT INTO progress (tenant, shard, log_id, position) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT (tenant, shard) DO UPDATE SET
                    position = CASE WHEN log_id = excluded.log_id THEN max(position, excluded.position) ELSE excluded.position END,
                    log_id = excluded.log_id
                """);
            upsert.Bind(1, tenant.Value).Bind(2, shard).Bind(3, progress.LogId).Bind(4, progress.Position).Run();
        },
        cancellation);

    public Task<IReadOnlyList<CounterRow>> ListAsync(CounterQuery query, CancellationToken cancellation)
    {
        var sql = $"SELECT {Columns} FROM counters WHERE tenant = ?1";
        sql += query.Metric is null ? "" : " AND metric = ?2";
        sql += query.Customer is null ? "" : " AND customer = ?3";
        sql += query.At is null ? "" : " AND period_start <= ?4 AND period_end > ?4";
        // Within one metric the cursor is of the rest: with the metric in both, SQLite reads and sorts all that is behind the cursor.
        var isWithin = query.Metric is not null && query.After?.Metric == query.Metric;
        sql += query.After is null ? "" : isWithin ? " AND (customer, period_start) > (?6, ?7)" : " AND (metric, customer, period_start) > (?5, ?6, ?7)";
        sql += " ORDER BY metric, customer, period_start LIMIT ?8";
        return SelectAsync(sql, Bind, cancellation);

        void Bind(SqliteStatement statement)
        {
            statement.Bind(1, tenant.Value).Bind(8, query.Limit);
            if (query.Metric is not null)
                statement.Bind(2, query.Metric);
            if (query.Customer is not null)
                statement.Bind(3, query.Customer);
            if (query.At is { } at)
                statement.Bind(4, at.Ticks);
            if (query.After is { } after)
                statement.Bind(5, after.Metric).Bind(6, after.Customer).Bind(7, after.PeriodStart.Ticks);
        }
    }

    public Task<IReadOnlyList<CounterRow>> DirtyAsync(int limit, CancellationToken cancellation) => SelectAsync(
        $"SELECT {Columns} FROM counters WHERE tenant = ?1 AND dirty_since IS NOT NULL ORDER BY dirty_since LIMIT ?2",
        statement => statement.Bind(1, tenant.Value).Bind(2, limit), cancellation);

    public Task ClearDirtyAsync(IReadOnlyCollection<CounterRow> rows, CancellationToken cancellation) => file.WriteAsync(
        session =>
        {
            foreach (var row in rows)
                ClearDirty(session, row);
        },
        cancellation);

    public Task PostponeDirtyAsync(IReadOnlyCollection<CounterRow> rows, Instant now, CancellationToken cancellation) => file.WriteAsync(
        session =>
        {
            foreach (var key in rows.Select(row => row.Counter.Key))
            {
                using var update = session.Prepare(
                    """
                    UPDATE counters SET dirty_since = max(dirty_since, ?5)
                    WHERE tenant = ?1 AND metric = ?2 AND customer = ?3 AND period_start = ?4 AND dirty_since IS NOT NULL
                    """);
                update.Bind(1, tenant.Value).Bind(2, key.Metric).Bind(3, key.Customer).Bind(4, key.PeriodStart.Ticks).Bind(5, now.Ticks).Run();
            }
        },
        cancellation);

    public Task MarkDirtyAsync(string metric, CancellationToken cancellation) => file.WriteAsync(
        session =>
        {
            using var update = session.Prepare(
                "UPDATE counters SET dirty_since = projected WHERE tenant = ?1 AND metric = ?2 AND dirty_since IS NULL");
            update.Bind(1, tenant.Value).Bind(2, metric).Run();
        },
        cancellation);

    /// <summary>How far a shard is projected, as the sweeps want it of any tenant.</summary>
    internal static ShardProgress ReadProgress(SqliteSession session, ShardId shard)
    {
        using var query = session.Prepare("SELECT log_id, position FROM progress WHERE tenant = ?1 AND shard = ?2");
        return query.Bind(1, shard.Tenant.Value).Bind(2, shard.Shard).Step()
            ? new ShardProgress(query.Text(0), query.Number(1))
            : ShardProgress.None;
    }

    private CounterRow? Find(SqliteSession session, CounterKey key)
    {
        using var query = session.Prepare(
            $"SELECT {Columns} FROM counters WHERE tenant = ?1 AND metric = ?2 AND customer = ?3 AND period_start = ?4");
        query.Bind(1, tenant.Value).Bind(2, key.Metric).Bind(3, key.Customer).Bind(4, key.PeriodStart.Ticks);
        return query.Step() ? Read(query) : null;
    }

    private Task<IReadOnlyList<CounterRow>> SelectAsync(
        string sql, Action<SqliteStatement> bind, CancellationToken cancellation) => file.ReadAsync<IReadOnlyList<CounterRow>>(
        session =>
        {
            var rows = new List<CounterRow>();
            using var statement = session.Prepare(sql);
            bind(statement);
            while (statement.Step())
                rows.Add(Read(statement));
            return rows;
        },
        cancellation);

    /// <summary>A row that has changed since it was read keeps its mark, but goes behind those that have waited longer.</summary>
    private void ClearDirty(SqliteSession session, CounterRow row)
    {
        var (key, version) = (row.Counter.Key, row.Counter.Version);
        using var update = session.Prepare(
            """
            UPDATE counters SET dirty_since =
                CASE WHEN recut_position = ?5 AND position = ?6 AND log_id = ?7 THEN NULL ELSE max(dirty_since, ?8) END
            WHERE tenant = ?1 AND metric = ?2 AND customer = ?3 AND period_start = ?4 AND dirty_since IS NOT NULL
            """);
        update.Bind(1, tenant.Value).Bind(2, key.Metric).Bind(3, key.Customer).Bind(4, key.PeriodStart.Ticks)
            .Bind(5, version.RecutPosition).Bind(6, version.Position).Bind(7, row.LogId).Bind(8, row.Projected.Ticks).Run();
    }

    private void Write(SqliteSession session, CounterRow row)
    {
        var (key, aggregates, version) = (row.Counter.Key, row.Counter.Aggregates, row.Counter.Version);
        using var upsert = session.Prepare(Upsert);
        upsert.Bind(1, tenant.Value).Bind(2, key.Metric).Bind(3, key.Customer).Bind(4, key.PeriodStart.Ticks)
            .Bind(5, row.Counter.Period.End.Ticks).Bind(6, aggregates.Sum.ToBytes()).Bind(7, aggregates.Count)
            .Bind(8, aggregates.Min.ToBytes()).Bind(9, aggregates.Max.ToBytes()).Bind(10, aggregates.Last.ToBytes())
            .Bind(11, aggregates.LastTimestamp.Ticks).Bind(12, aggregates.LastKey).Bind(13, version.RecutPosition)
            .Bind(14, version.Position).Bind(15, row.Shard).Bind(16, row.LogId).Bind(17, row.Projected.Ticks).Run();
    }

    private static CounterRow Read(in SqliteStatement row)
    {
        var period = new BillingPeriod(new Instant(row.Number(2)), new Instant(row.Number(3)));
        var aggregates = new Aggregates(
            Quantity.FromBytes(row.Blob(4)), row.Number(5), Quantity.FromBytes(row.Blob(6)), Quantity.FromBytes(row.Blob(7)),
            Quantity.FromBytes(row.Blob(8)), new Instant(row.Number(9)), row.Text(10));
        var counter = new Counter(
            new CounterKey(row.Text(0), row.Text(1), period.Start), period, aggregates,
            new CounterVersion(row.Number(11), row.Number(12)));
        return new CounterRow(counter, row.SmallNumber(13), row.Text(14), new Instant(row.Number(15)));
    }
}
