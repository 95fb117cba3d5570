using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Kits.Text;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Kits.Simulated.Database;

/// <summary>Finds work across tenants, as one process asks for it.</summary>
internal sealed class SimulatedWorkFinder(SimulatedDatabase database, SimulatedProcess process) : IWorkFinder
{
    // Any tenant: the state that is read is that of all of them.
    private static readonly TenantId Anyone = new("anyone");

    public Task<IReadOnlyList<ShardWork>> HeadsAsync(ShardId? after, int limit, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyList<ShardWork>>(process, Anyone, _ => [.. HeadsAfter(after).Take(limit)]);

    public Task<IReadOnlyList<TenantId>> TenantsWithDirtyCountersAsync(TenantId? after, int limit, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyList<TenantId>>(process, Anyone, _ =>
        [
            .. Ordered().Where(tenant => database.MajorityOf(tenant).Rows.Values.Any(stored => stored.DirtySince is not null))
                .Where(tenant => after is not { } last || CodePointOrder.Instance.Compare(tenant.Value, last.Value) > 0).Take(limit),
        ]);

    public Task<IReadOnlyList<TenantId>> TenantsWithMappingsAsync(TenantId? after, int limit, CancellationToken cancellation) =>
        throw OnlyCounting();

    public Task<IReadOnlyList<TenantId>> TenantsWithDueDeltasAsync(
        Instant now, TenantId? after, int limit, CancellationToken cancellation) => throw OnlyCounting();

    public Task<IReadOnlyList<TenantId>> TenantsWithDocumentsAsync(
        DocumentKind kind, TenantId? after, int limit, CancellationToken cancellation) => throw OnlyCounting();

    public Task<DeltaBacklog> DeltaBacklogAsync(CancellationToken cancellation) => throw OnlyCounting();

    public Task<DeltaPlace?> PlaceOfIntentAsync(string identifier, CancellationToken cancellation) => throw OnlyCounting();

    public Task<IReadOnlyList<DeltaPlace>> PlacesOfCustomerAsync(
        string account, bool livemode, string stripeCustomer, int limit, CancellationToken cancellation) => throw OnlyCounting();

    private static NotSupportedException OnlyCounting() => new("The simulated database has ledgers and projections only.");

    private IEnumerable<ShardWork> HeadsAfter(ShardId? after) =>
        from tenant in Ordered()
        from work in database.WorkOf(tenant)
        let shard = new ShardId(tenant, work.Shard)
        where after is not { } last || Compare(shard, last) > 0
        select new ShardWork(shard, work.Head, work.Progress);

    private IEnumerable<TenantId> Ordered() => database.KnownTenants.OrderBy(tenant => tenant.Value, CodePointOrder.Instance);

    private static int Compare(ShardId left, ShardId right)
    {
        var order = CodePointOrder.Instance.Compare(left.Tenant.Value, right.Tenant.Value);
        return order != 0 ? order : left.Shard.CompareTo(right.Shard);
    }
}
