using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Text;
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

    public Task<IReadOnlyList<ShardId>> ShardsToRecountAsync(ShardId? after, int limit, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyList<ShardId>>(process, Anyone, _ =>
        [
            .. Ordered().SelectMany(tenant => database.MajorityOf(tenant).Recounts.Keys.Select(key => new ShardId(tenant, key.Shard))
                    .Distinct().OrderBy(shard => shard.Shard))
                .Where(shard => after is not { } last || Compare(shard, last) > 0).Take(limit),
        ]);

    public Task<IReadOnlyList<TenantId>> TenantsWithDirtyCountersAsync(TenantId? after, int limit, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyList<TenantId>>(process, Anyone, _ =>
        [
            .. Ordered().Where(tenant => database.MajorityOf(tenant).Rows.Values.Any(stored => stored.DirtySince is not null))
                .Where(tenant => after is not { } last || CodePointOrder.Instance.Compare(tenant.Value, last.Value) > 0).Take(limit),
        ]);

    public Task<IReadOnlyList<TenantId>> TenantsWithMappingsAsync(TenantId? after, int limit, CancellationToken cancellation) =>
        throw new NotSupportedException("The simulated database has no mappings.");

    public Task<TenantId?> TenantOfMeterAsync(string stripeAccount, string meterId, CancellationToken cancellation) =>
        throw new NotSupportedException("The simulated database has no mappings.");

    public Task<IReadOnlyList<TenantId>> TenantsWithDueDeltasAsync(Instant now, TenantId? after, int limit, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyList<TenantId>>(process, Anyone, _ =>
        [
            .. Ordered().Where(tenant => database.DeltasOf(tenant).Any(document => document.Due <= now))
                .Where(tenant => after is not { } last || CodePointOrder.Instance.Compare(tenant.Value, last.Value) > 0).Take(limit),
        ]);

    public Task<IReadOnlyList<TenantId>> TenantsWithDocumentsAsync(
        DocumentKind kind, TenantId? after, int limit, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyList<TenantId>>(process, Anyone, _ =>
        [
            .. Ordered().Where(tenant => database.MajorityOf(tenant).Documents.Keys.Any(key => key.Kind == kind))
                .Where(tenant => after is not { } last || CodePointOrder.Instance.Compare(tenant.Value, last.Value) > 0).Take(limit),
        ]);

    public Task<DeltaBacklog> DeltaBacklogAsync(CancellationToken cancellation) => database.ReadAsync(process, Anyone, _ =>
    {
        var behind = Ordered().SelectMany(database.DeltasOf).Where(document => document.BehindSince is not null).ToList();
        return new DeltaBacklog(
            behind.Count, behind.Count == 0 ? null : behind.Min(document => document.BehindSince),
            behind.Count(document => document.Open?.State == IntentState.Ambiguous), behind.Count(document => document.ParkedSince is not null));
    });

    public Task<DeltaPlace?> PlaceOfIntentAsync(string identifier, CancellationToken cancellation) => database.ReadAsync(process, Anyone, _ =>
    {
        foreach (var tenant in Ordered())
        {
            if (database.DeltasOf(tenant).FirstOrDefault(document => document.Open?.Identifier == identifier) is { } open)
                return new DeltaPlace(tenant, open.Key);
            foreach (var closed in database.ClosedIntentsOf(tenant).Where(closed => closed.Intent.Identifier == identifier))
                return new DeltaPlace(tenant, closed.Key);
        }

        return (DeltaPlace?)null;
    });

    public Task<IReadOnlyList<DeltaPlace>> PlacesOfCustomerAsync(
        string account, bool livemode, string stripeCustomer, int limit, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyList<DeltaPlace>>(process, Anyone, _ =>
        [
            .. (from tenant in Ordered()
                from document in database.DeltasOf(tenant)
                where document.Key.Account == account && document.Key.Livemode == livemode && document.Key.StripeCustomer == stripeCustomer
                select new DeltaPlace(tenant, document.Key)).Take(limit),
        ]);

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
