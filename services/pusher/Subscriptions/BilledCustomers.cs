using StripeMeter.Metering.Mappings;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Pusher.Raising;
using StripeMeter.Pusher.StripeApi;

namespace StripeMeter.Pusher.Subscriptions;

/// <summary>A customer reference of a tenant.</summary>
internal readonly record struct BilledCustomer(TenantId Tenant, string Reference);

/// <summary>Whose usage feeds the meters of an account, by the active mappings of all tenants at one moment.</summary>
internal sealed class BilledCustomers
{
    private readonly ILookup<string, (TenantId Tenant, CustomerRule Customers)> _mapped;

    private BilledCustomers(IEnumerable<(TenantId Tenant, Mapping Mapping)> mapped) => _mapped = mapped.ToLookup(
        item => item.Mapping.MeterId, item => (item.Tenant, item.Mapping.Customers), StringComparer.Ordinal);

    public static async Task<BilledCustomers> LoadAsync(
        IMeterStore store, StripeAccounts accounts, PusherOptions options, AccountMode account, CancellationToken cancellation)
    {
        var mapped = new List<(TenantId, Mapping)>();
        await foreach (var (tenant, mapping) in TenantMappings.OfAllAsync(store, options, cancellation).ConfigureAwait(false))
        {
            var billed = await StripeAccounts.ResolveAsync(accounts.BilledOf(mapping.StripeAccount), mapping.StripeAccount, cancellation).ConfigureAwait(false);
            if (billed == account)
                mapped.Add((tenant, mapping));
        }

        return new BilledCustomers(mapped);
    }

    /// <summary>Tenants whose usage goes to a Stripe customer on a meter, or to a legacy item.</summary>
    public IEnumerable<TenantId> TenantsOf(DeltaKey key) => Of(key).Select(customer => customer.Tenant).Distinct();

    /// <summary>Those whom a subscription bills for.</summary>
    public IEnumerable<BilledCustomer> Of(FollowedSubscription subscription) => subscription.Lines.SelectMany(line => Of(line.Key)).Distinct();

    private IEnumerable<BilledCustomer> Of(DeltaKey key) =>
        from mapped in _mapped[key.MeterId]
        from reference in mapped.Customers.ReferencesOf(key.StripeCustomer)
        select new BilledCustomer(mapped.Tenant, reference);
}
