using StripeMeter.Metering.Mappings;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Pusher.Raising;
using StripeMeter.Pusher.StripeApi;

namespace StripeMeter.Pusher.Webhooks;

/// <summary>A customer reference of a tenant, whose usage feeds a meter.</summary>
internal readonly record struct BilledCustomer(TenantId Tenant, string Reference, string MeterId);

/// <summary>Finds whose usage a Stripe customer is billed for: the tenants whose mappings feed its meters, and their references.</summary>
internal sealed class BilledCustomers(IMeterStore store, StripeAccounts accounts, PusherOptions options)
{
    public async Task<IReadOnlyCollection<BilledCustomer>> FindAsync(
        AccountMode account, IReadOnlySet<string> meters, string stripeCustomer, CancellationToken cancellation)
    {
        var found = new HashSet<BilledCustomer>();
        TenantId? after = null;
        while (true)
        {
            var tenants = await store.Work.TenantsWithMappingsAsync(after, options.WorkPage, cancellation).ConfigureAwait(false);
            foreach (var tenant in tenants)
            {
                var mappings = await TenantMappings.LoadAsync(store.Of(tenant), options.MappingsOfTenant, cancellation).ConfigureAwait(false);
                foreach (var mapping in mappings.All.Where(mapping => meters.Contains(mapping.MeterId)))
                {
                    if (await IsOfAsync(mapping, account, cancellation).ConfigureAwait(false))
                        found.UnionWith(mapping.Customers.ReferencesOf(stripeCustomer).Select(reference => new BilledCustomer(tenant, reference, mapping.MeterId)));
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
