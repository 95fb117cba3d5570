using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Sqlite;
using StripeMeter.Storage.Documents;

namespace StripeMeter.Storage.Sqlite;

/// <summary>The delta ledger of one tenant in SQLite.</summary>
internal sealed class SqliteDeltaLedger(StoreFile file, TenantId tenant) : IDeltaLedger
{
    public const string Schema =
        """
        CREATE TABLE IF NOT EXISTS deltas (
            tenant TEXT NOT NULL, meter TEXT NOT NULL, customer TEXT NOT NULL, account TEXT NOT NULL, livemode INTEGER NOT NULL,
            revision INTEGER NOT NULL, due INTEGER, behind_since INTEGER, ambiguous INTEGER NOT NULL, parked INTEGER NOT NULL,
            counters INTEGER NOT NULL, open_intent TEXT, body TEXT NOT NULL, PRIMARY KEY (tenant, meter, customer, account, livemode));
        CREATE INDEX IF NOT EXISTS deltas_due ON deltas (tenant, account, livemode, due) WHERE due IS NOT NULL;
        CREATE INDEX IF NOT EXISTS deltas_behind ON deltas (behind_since, ambiguous, parked) WHERE behind_since IS NOT NULL;
        CREATE INDEX IF NOT EXISTS deltas_by_open_intent ON deltas (open_intent) WHERE open_intent IS NOT NULL;
        CREATE INDEX IF NOT EXISTS deltas_by_customer ON deltas (account, livemode, customer);
        CREATE TABLE IF NOT EXISTS delta_counters (
            tenant TEXT NOT NULL, metric TEXT NOT NULL, customer_ref TEXT NOT NULL, meter TEXT NOT NULL, customer TEXT NOT NULL,
            account TEXT NOT NULL, livemode INTEGER NOT NULL,
            PRIMARY KEY (tenant, customer_ref, metric, meter, customer, account, livemode)) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS delta_counters_by_metric ON delta_counters (tenant, metric);
        CREATE TABLE IF NOT EXISTS delta_history (
            tenant TEXT NOT NULL, identifier TEXT NOT NULL, meter TEXT NOT NULL, customer TEXT NOT NULL, account TEXT NOT NULL,
            livemode INTEGER NOT NULL, closing INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (identifier, tenant, closing));
        CREATE INDEX IF NOT EXISTS delta_history_by_key ON delta_history (tenant, meter, customer, account, livemode, closing);
        """;

    private const string OfKey = "tenant = ?1 AND meter = ?2 AND customer = ?3 AND account = ?4 AND livemode = ?5";

    public Task<DeltaDocument?> LoadAsync(DeltaKey key, CancellationToken cancellation) => file.ReadAsync(
        session =>
        {
            using var query = session.Prepare($"SELECT body, revision FROM deltas WHERE {OfKey}");
            return BindKey(query, key).Step() ? DeltaJson.ReadDocument(query.Text(0), query.Number(1)) : null;
        },
        cancellation);

    public Task<bool> SaveAsync(DeltaDocument document, CancellationToken cancellation)
    {
        var body = DeltaJson.Write(document);
        return file.WriteAsync(session => Save(session, document, body), cancellation);
    }

    public Task AppendHistoryAsync(DeltaKey key, PushIntent intent, CancellationToken cancellation) => file.WriteAsync(
        session =>
        {
            using var insert = session.Prepare(
                """
                INSERT INTO delta_history (tenant, meter, customer, account, livemode, identifier, closing, body)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (identifier, tenant, closing) DO NOTHING
                """);
            BindKey(insert, key).Bind(6, intent.Identifier).Bind(7, intent.Closing).Bind(8, DeltaJson.Write(intent)).Run();
        },
        cancellation);

    public Task<IReadOnlyList<PushIntent>> HistoryAsync(
        DeltaKey key, long afterClosing, int limit, CancellationToken cancellation) => SelectAsync(
        $"SELECT body FROM delta_history WHERE {OfKey} AND closing > ?6 ORDER BY closing LIMIT ?7",
        query => BindKey(query, key).Bind(6, afterClosing).Bind(7, limit),
        static row => DeltaJson.ReadIntent(row.Text(0)),
        cancellation);

    public Task<PushIntent?> FindClosedAsync(string identifier, CancellationToken cancellation) => file.ReadAsync(
        session =>
        {
            using var query = session.Prepare(
                "SELECT body FROM delta_history WHERE identifier = ?1 AND tenant = ?2 ORDER BY closing DESC LIMIT 1");
            return query.Bind(1, identifier).Bind(2, tenant.Value).Step() ? DeltaJson.ReadIntent(query.Text(0)) : null;
        },
        cancellation);

    public Task<IReadOnlyList<AccountMode>> DueAccountsAsync(Instant now, int limit, CancellationToken cancellation) => SelectAsync(
        "SELECT DISTINCT account, livemode FROM deltas INDEXED BY deltas_due WHERE tenant = ?1 AND due <= ?2 LIMIT ?3",
        query => query.Bind(1, tenant.Value).Bind(2, now.Ticks).Bind(3, limit),
        static row => new AccountMode(row.Text(0), row.Flag(1)),
        cancellation);

    public Task<IReadOnlyList<DeltaKey>> DueAsync(
        string account, bool livemode, Instant now, int limit, CancellationToken cancellation) => SelectAsync(
        """
        SELECT account, livemode, meter, customer FROM deltas INDEXED BY deltas_due
        WHERE tenant = ?1 AND account = ?2 AND livemode = ?3 AND due <= ?4 ORDER BY due LIMIT ?5
        """,
        query => query.Bind(1, tenant.Value).Bind(2, account).Bind(3, livemode).Bind(4, now.Ticks).Bind(5, limit),
        static row => new DeltaKey(row.Text(0), row.Flag(1), row.Text(2), row.Text(3)),
        cancellation);

    public Task<IReadOnlyList<DeltaDocument>> ListAsync(DeltaQuery query, CancellationToken cancellation)
    {
        var sql = "SELECT body, revision FROM deltas WHERE tenant = ?1";
        if (query.From is not null)
            sql += " AND (meter, customer, account, livemode) >= (?2, ?3, ?4, ?5)";
        if (query.Metric is not null || query.Customer is not null)
        {
            sql += " AND (meter, customer, account, livemode) IN (SELECT meter, customer, account, livemode FROM delta_counters WHERE tenant = ?1";
            sql += query.Metric is null ? "" : " AND metric = ?6";
            sql += query.Customer is null ? ")" : " AND customer_ref = ?7)";
        }

        return SelectAsync(
            $"{sql} ORDER BY meter, customer, account, livemode LIMIT ?8",
            statement =>
            {
                statement.Bind(1, tenant.Value).Bind(8, query.Limit);
                if (query.From is { } from)
                    BindKey(statement, from);
                if (query.Metric is not null)
                    statement.Bind(6, query.Metric);
                if (query.Customer is not null)
                    statement.Bind(7, query.Customer);
            },
            static row => DeltaJson.ReadDocument(row.Text(0), row.Number(1)),
            cancellation);
    }

    private bool Save(SqliteSession session, DeltaDocument document, string body)
    {
        var counters = CountersOf(document);
        var (revision, known) = Stored(session, document.Key);
        if (revision != document.Revision)
            return false;
        using var upsert = session.Prepare(
            """
            INSERT INTO deltas (tenant, meter, customer, account, livemode, revision, due, behind_since, ambiguous, parked, counters, open_intent, body)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
            ON CONFLICT (tenant, meter, customer, account, livemode) DO UPDATE SET revision = excluded.revision, due = excluded.due,
                behind_since = excluded.behind_since, ambiguous = excluded.ambiguous, parked = excluded.parked,
                counters = excluded.counters, open_intent = excluded.open_intent, body = excluded.body
            """);
        BindKey(upsert, document.Key).Bind(6, document.Revision + 1).Bind(9, document.Open?.State == IntentState.Ambiguous)
            .Bind(10, document.ParkedSince is not null).Bind(11, counters.Count).Bind(13, body);
        if (document.Open is { } open)
            upsert.Bind(12, open.Identifier);
        else
            upsert.BindNull(12);
        BindInstant(upsert, 7, document.Due);
        BindInstant(upsert, 8, document.BehindSince);
        upsert.Run();

        // A counter that contributes does so for ever, so the same number means the same counters.
        if (counters.Count != known)
            AddCounters(session, document.Key, counters);
        return true;
    }

    private (long Revision, long Counters) Stored(SqliteSession session, DeltaKey key)
    {
        using var query = session.Prepare($"SELECT revision, counters FROM deltas WHERE {OfKey}");
        return BindKey(query, key).Step() ? (query.Number(0), query.Number(1)) : (0, 0);
    }

    private void AddCounters(SqliteSession session, DeltaKey key, HashSet<(string Metric, string Customer)> counters)
    {
        foreach (var (metric, customer) in counters)
        {
            using var insert = session.Prepare(
                """
                INSERT INTO delta_counters (tenant, meter, customer, account, livemode, metric, customer_ref)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING
                """);
            BindKey(insert, key).Bind(6, metric).Bind(7, customer).Run();
        }
    }

    private static HashSet<(string Metric, string Customer)> CountersOf(DeltaDocument document) =>
        [.. document.Periods.SelectMany(period => period.Contributions).Select(counter => (counter.Metric, counter.Customer))];

    private SqliteStatement BindKey(in SqliteStatement statement, DeltaKey key) =>
        statement.Bind(1, tenant.Value).Bind(2, key.MeterId).Bind(3, key.StripeCustomer).Bind(4, key.Account).Bind(5, key.Livemode);

    private static void BindInstant(in SqliteStatement statement, int parameter, Instant? instant)
    {
        if (instant is { } present)
            statement.Bind(parameter, present.Ticks);
        else
            statement.BindNull(parameter);
    }

    private Task<IReadOnlyList<T>> SelectAsync<T>(
        string sql, Action<SqliteStatement> bind, Func<SqliteStatement, T> read, CancellationToken cancellation) =>
        file.ReadAsync<IReadOnlyList<T>>(
            session =>
            {
                using var statement = session.Prepare(sql);
                bind(statement);
                var rows = new List<T>();
                while (statement.Step())
                    rows.Add(read(statement));
                return rows;
            },
            cancellation);
}
