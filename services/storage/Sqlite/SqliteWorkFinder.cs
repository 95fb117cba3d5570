using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Sqlite;

namespace StripeMeter.Storage.Sqlite;

/// <summary>Finds work across tenants in the files.</summary>
internal sealed class SqliteWorkFinder(StoreFile ledger, StoreFile counters, StoreFile billing, StoreFile documents) : IWorkFinder
{
    public async Task<IReadOnlyList<ShardWork>> HeadsAsync(ShardId? after, int limit, CancellationToken cancellation)
    {
        var heads = await ledger.ReadAsync(session => ReadHeads(session, after, limit), cancellation).ConfigureAwait(false);
        return await counters.ReadAsync(session => heads.ConvertAll(
            shard => new ShardWork(shard.Shard, shard.Head, SqliteProjection.ReadProgress(session, shard.Shard))), cancellation)
            .ConfigureAwait(false);
    }

    public Task<IReadOnlyList<ShardId>> ShardsToRecountAsync(ShardId? after, int limit, CancellationToken cancellation) =>
        counters.ReadAsync<IReadOnlyList<ShardId>>(
            session =>
            {
                using var query = session.Prepare(
                    "SELECT DISTINCT tenant, shard FROM recounts WHERE (tenant, shard) > (?1, ?2) ORDER BY tenant, shard LIMIT ?3");
                query.Bind(1, after?.Tenant.Value ?? "").Bind(2, after?.Shard ?? -1).Bind(3, limit);
                var shards = new List<ShardId>();
                while (query.Step())
                    shards.Add(new ShardId(new TenantId(query.Text(0)), query.SmallNumber(1)));
                return shards;
            },
            cancellation);

    public Task<IReadOnlyList<TenantId>> TenantsWithDirtyCountersAsync(
        TenantId? after, int limit, CancellationToken cancellation) => TenantsAsync(
        counters,
        "SELECT DISTINCT tenant FROM counters INDEXED BY counters_dirty WHERE dirty_since IS NOT NULL AND tenant > ?1 ORDER BY tenant LIMIT ?2",
        after, limit, null, cancellation);

    public Task<IReadOnlyList<TenantId>> TenantsWithMappingsAsync(
        TenantId? after, int limit, CancellationToken cancellation) => TenantsAsync(
        billing, "SELECT DISTINCT tenant FROM mappings WHERE active = 1 AND tenant > ?1 ORDER BY tenant LIMIT ?2",
        after, limit, null, cancellation);

    public Task<TenantId?> TenantOfMeterAsync(string stripeAccount, string meterId, CancellationToken cancellation) =>
        billing.ReadAsync<TenantId?>(
            session =>
            {
                using var query = session.Prepare("SELECT tenant FROM mappings WHERE account = ?1 AND meter = ?2 AND active = 1");
                return query.Bind(1, stripeAccount).Bind(2, meterId).Step() ? new TenantId(query.Text(0)) : null;
            },
            cancellation);

    public Task<IReadOnlyList<TenantId>> TenantsWithDueDeltasAsync(
        Instant now, TenantId? after, int limit, CancellationToken cancellation) => TenantsAsync(
        billing,
        "SELECT DISTINCT tenant FROM deltas INDEXED BY deltas_due WHERE due <= ?3 AND tenant > ?1 ORDER BY tenant LIMIT ?2",
        after, limit, now, cancellation);

    public Task<IReadOnlyList<TenantId>> TenantsWithDocumentsAsync(
        DocumentKind kind, TenantId? after, int limit, CancellationToken cancellation) =>
        documents.ReadAsync<IReadOnlyList<TenantId>>(
            session =>
            {
                using var query = session.Prepare(
                    "SELECT DISTINCT tenant FROM documents WHERE kind = ?1 AND tenant > ?2 ORDER BY tenant LIMIT ?3");
                query.Bind(1, (long)kind).Bind(2, after?.Value ?? "").Bind(3, limit);
                var tenants = new List<TenantId>();
                while (query.Step())
                    tenants.Add(new TenantId(query.Text(0)));
                return tenants;
            },
            cancellation);

    public Task<DeltaBacklog> DeltaBacklogAsync(CancellationToken cancellation) => billing.ReadAsync(
        static session =>
        {
            using var query = session.Prepare(
                """
                SELECT count(*), min(behind_since), coalesce(sum(ambiguous), 0), coalesce(sum(parked), 0)
                FROM deltas INDEXED BY deltas_behind WHERE behind_since IS NOT NULL
                """);
            query.Step();
            return new DeltaBacklog(
                query.Number(0), query.IsNull(1) ? null : new Instant(query.Number(1)), query.Number(2), query.Number(3));
        },
        cancellation);

    public Task<DeltaPlace?> PlaceOfIntentAsync(string identifier, CancellationToken cancellation) => billing.ReadAsync<DeltaPlace?>(
        session =>
        {
            using var query = session.Prepare(
                """
                SELECT tenant, account, livemode, meter, customer FROM deltas WHERE open_intent = ?1
                UNION ALL SELECT tenant, account, livemode, meter, customer FROM delta_history WHERE identifier = ?1 LIMIT 1
                """);
            return query.Bind(1, identifier).Step() ? PlaceIn(query) : null;
        },
        cancellation);

    public Task<IReadOnlyList<DeltaPlace>> PlacesOfCustomerAsync(
        string account, bool livemode, string stripeCustomer, int limit, CancellationToken cancellation) =>
        billing.ReadAsync<IReadOnlyList<DeltaPlace>>(
            session =>
            {
                using var query = session.Prepare(
                    """
                    SELECT tenant, account, livemode, meter, customer FROM deltas INDEXED BY deltas_by_customer
                    WHERE account = ?1 AND livemode = ?2 AND customer = ?3 LIMIT ?4
                    """);
                query.Bind(1, account).Bind(2, livemode).Bind(3, stripeCustomer).Bind(4, limit);
                var places = new List<DeltaPlace>();
                while (query.Step())
                    places.Add(PlaceIn(query));
                return places;
            },
            cancellation);

    private static DeltaPlace PlaceIn(in SqliteStatement row) =>
        new(new TenantId(row.Text(0)), new DeltaKey(row.Text(1), row.Flag(2), row.Text(3), row.Text(4)));

    private static Task<IReadOnlyList<TenantId>> TenantsAsync(
        StoreFile file, string sql, TenantId? after, int limit, Instant? now, CancellationToken cancellation) =>
        file.ReadAsync<IReadOnlyList<TenantId>>(
            session =>
            {
                using var query = session.Prepare(sql);
                query.Bind(1, after?.Value ?? "").Bind(2, limit);
                if (now is { } present)
                    query.Bind(3, present.Ticks);
                var tenants = new List<TenantId>();
                while (query.Step())
                    tenants.Add(new TenantId(query.Text(0)));
                return tenants;
            },
            cancellation);

    private static List<(ShardId Shard, ShardHead Head)> ReadHeads(SqliteSession session, ShardId? after, int limit)
    {
        var afterId = -1L;
        if (after is { } start)
        {
            using var tenant = session.Prepare("SELECT id FROM tenants WHERE name = ?1");
            if (tenant.Bind(1, start.Tenant.Value).Step())
                afterId = (tenant.Number(0) * LedgerSchema.ShardStride) + start.Shard;
        }

        using var query = session.Prepare(
            $"""
            SELECT t.name, s.id % {LedgerSchema.ShardStride}, s.log_id, s.head, s.displacements
            FROM shards s JOIN tenants t ON t.id = s.id / {LedgerSchema.ShardStride} WHERE s.id > ?1 ORDER BY s.id LIMIT ?2
            """);
        query.Bind(1, afterId).Bind(2, limit);
        var heads = new List<(ShardId, ShardHead)>();
        while (query.Step())
        {
            var shard = new ShardId(new TenantId(query.Text(0)), query.SmallNumber(1));
            heads.Add((shard, new ShardHead(query.Text(2), query.Number(3), query.SmallNumber(4))));
        }

        return heads;
    }
}
