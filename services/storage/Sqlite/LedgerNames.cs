using System.Collections.Concurrent;
using StripeMeter.Metering.Tenants;
using StripeMeter.Sqlite;

namespace StripeMeter.Storage.Sqlite;

/// <summary>A tenant as the ledger's tables know it.</summary>
internal readonly record struct TenantIdentity(long Id, int ShardCount)
{
    /// <summary>The number of a shard; that of another tenant is out of reach.</summary>
    public long ShardId(int shard)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(shard);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(shard, ShardCount);
        return FirstShardId + shard;
    }

    public long FirstShardId => Id * LedgerSchema.ShardStride;

    public long LastShardId => FirstShardId + LedgerSchema.ShardStride - 1;
}

/// <summary>
/// Remembers the numbers that stand for names in the ledger. A number is never changed once committed; what a transaction
/// made up that was rolled back is forgotten.
/// </summary>
internal sealed class LedgerNames
{
    /// <summary>Names kept of each kind; beyond that they are forgotten and read again.</summary>
    public const int MaximumNames = 200_000;

    private readonly ConcurrentDictionary<TenantId, TenantIdentity> _tenants = [];
    private readonly ConcurrentDictionary<long, (string Customer, string Metric)> _names = [];

    // Only the writer uses it, so what is not committed yet is seen by nobody else.
    private readonly Dictionary<(long TenantId, string Customer, string Metric), long> _series = [];

    public LedgerNames(StoreFile file) => file.RolledBack += _series.Clear;

    public bool TryFind(TenantId tenant, out TenantIdentity identity) => _tenants.TryGetValue(tenant, out identity);

    public TenantIdentity Remember(TenantId tenant, TenantIdentity identity)
    {
        if (_tenants.Count >= MaximumNames)
            _tenants.Clear();
        return _tenants[tenant] = identity;
    }

    /// <summary>The number of a series, made if there is none. Within a write.</summary>
    public long SeriesOf(SqliteSession session, long tenantId, string customer, string metric)
    {
        if (_series.TryGetValue((tenantId, customer, metric), out var known))
            return known;
        if (_series.Count >= MaximumNames)
            _series.Clear();
        using (var insert = session.Prepare("INSERT INTO series (tenant_id, customer, metric) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING"))
            insert.Bind(1, tenantId).Bind(2, customer).Bind(3, metric).Run();
        using var select = session.Prepare("SELECT id FROM series WHERE tenant_id = ?1 AND customer = ?2 AND metric = ?3");
        select.Bind(1, tenantId).Bind(2, customer).Bind(3, metric).Step();
        var id = select.Number(0);
        _series.Add((tenantId, customer, metric), id);
        return id;
    }

    /// <summary>The names of a committed series.</summary>
    public (string Customer, string Metric) NamesOf(SqliteSession session, long seriesId)
    {
        if (_names.TryGetValue(seriesId, out var known))
            return known;
        using var select = session.Prepare("SELECT customer, metric FROM series WHERE id = ?1");
        select.Bind(1, seriesId).Step();
        if (_names.Count >= MaximumNames)
            _names.Clear();
        return _names[seriesId] = (select.Text(0), select.Text(1));
    }
}
