using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Sqlite;

namespace StripeMeter.Storage.Sqlite;

/// <summary>Finds work across tenants in the three files.</summary>
internal sealed class SqliteWorkFinder(SqliteFile ledger, SqliteFile counters, SqliteFile billing) : IWorkFinder
{
    public Task<IReadOnlyList<ShardWork>> HeadsAsync(ShardId? after, int limit, CancellationToken cancellation)
    {
        var heads = ledger.Read(session => ReadHeads(session, after, limit));
        return Task.FromResult<IReadOnlyList<ShardWork>>(counters.Read(session => ReadProgress(session, heads)));
    }

    public Task<IReadOnlyList<TenantId>> TenantsWithDirtyCountersAsync(
        TenantId? after, int limit, CancellationToken cancellation) => TenantsAsync(
        counters,
        "SELECT DISTINCT tenant FROM counters INDEXED BY counters_dirty WHERE dirty_since IS NOT NULL AND tenant > ?1 ORDER BY tenant LIMIT ?2",
        after, limit);

    public Task<IReadOnlyList<TenantId>> TenantsWithMappingsAsync(
        TenantId? after, int limit, CancellationToken cancellation) => TenantsAsync(
        billing, "SELECT DISTINCT tenant FROM mappings WHERE active = 1 AND tenant > ?1 ORDER BY tenant LIMIT ?2", after, limit);

    private static Task<IReadOnlyList<TenantId>> TenantsAsync(SqliteFile file, string sql, TenantId? after, int limit) =>
        Task.FromResult<IReadOnlyList<TenantId>>(file.Read(session =>
        {
            using var query = session.Prepare(sql);
            query.Bind(1, after?.Value ?? "").Bind(2, limit);
            var tenants = new List<TenantId>();
            while (query.Step())
                tenants.Add(new TenantId(query.Text(0)));
            return tenants;
        }));

    private static List<(ShardId Shard, ShardHead Head)> ReadHeads(SqliteSession session, ShardId? after, int limit)
    {
        var afterId = -1L;
        if (after is { } start)
        {
            using var tenant = session.Prepare("SELECT id FROM tenants WHERE name = ?1");
            if (tenant.Bind(1, start.Tenant.Value).Step())
                afterId = new TenantIdentity(tenant.Number(0), 0).ShardId(start.Shard);
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

    private static List<ShardWork> ReadProgress(SqliteSession session, List<(ShardId Shard, ShardHead Head)> heads)
    {
        var work = new List<ShardWork>(heads.Count);
        foreach (var (shard, head) in heads)
        {
            using var query = session.Prepare("SELECT log_id, position FROM progress WHERE tenant = ?1 AND shard = ?2");
            var progress = query.Bind(1, shard.Tenant.Value).Bind(2, shard.Shard).Step()
                ? new ShardProgress(query.Text(0), query.Number(1))
                : ShardProgress.None;
            work.Add(new ShardWork(shard, head, progress));
        }

        return work;
    }
}
