using StripeMeter.Metering.Mappings;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Pusher.Raising;
using StripeMeter.Pusher.StripeApi;

namespace StripeMeter.Pusher.Webhooks;

/// <summary>A customer reference of a tenant, and where its usage goes.</summary>
internal readonly record struct BilledCustomer(TenantId Tenant, string Reference, DeltaKey Key);

/// <summary>Finds whose usage a Stripe customer is billed for: the tenants whose mappings feed its meters, and their references.</summary>
internal sealed class BilledCustomers(IMeterStore store, StripeAccounts accounts, PusherOptions options)
{
    public async Task<IReadOnlyCollection<BilledCustomer>> FindAsync(
        AccountMode account, IReadOnlyCollection<DeltaKey> keys, CancellationToken cancellation)
    {
        var keysOfMeters = keys.ToLookup(key => key.MeterId, StringComparer.Ordinal);
        var found = new HashSet<BilledCustomer>();
        TenantId? after = null;
        while (true)
        {
            var tenants = await store.Work.TenantsWithMappingsAsync(after, options.WorkPage, cancellation).ConfigureAwait(false);
            foreach (var tenant in tenants)
            {
                var mappings = await TenantMappings.LoadAsync(store.Of(tenant), options.MappingsOfTenant, cancellation).ConfigureAwait(false);
                foreach (var mapping in mappings.All.Where(mapping => keysOfMeters.Contains(mapping.MeterId)))
                {
                    if (!await IsOfAsync(mapping, account, cancellation).ConfigureAwait(false))
                        continue;
                    found.UnionWith(
                        from key in keysOfMeters[mapping.MeterId]
                        from reference in mapping.Customers.ReferencesOf(key.StripeCustomer)
                        select new BilledCustomer(tenant, reference, key));
                }
            }

            if (tenants.Count < options.WorkPage)
                return found;
            after = tenants[^1];
        }
    }

    private async Task<bool> IsOfAsync(Mapping mapping, AccountMode account, CancellationToken cancellation) =>
        await StripeAccounts.ResolveAsync(accounts.BilledOf(mapping.StripeAccount), mapping.StripeAccount, cancellation).ConfigureAwait(false) == account;
}
