using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Pusher.StripeApi;

namespace StripeMeter.Pusher.Driving;

/// <summary>A delta document of any tenant.</summary>
internal readonly record struct TenantDocument(TenantId Tenant, DeltaKey Key);

/// <summary>
/// Finds the documents that are due at accounts that can be called. Documents of other accounts, such as a double that was
/// used before, are left as they are.
/// </summary>
internal sealed class DueDocuments(IMeterStore store, StripeAccounts accounts, AccountGates gates, PusherOptions options, TimeProvider clock)
{
    /// <summary>Hands out what is due, one tenant after the other.</summary>
    /// <param name="taken">Documents that are being driven: so many more are read.</param>
    /// <param name="cancellation">Ends the search.</param>
    public async IAsyncEnumerable<TenantDocument> FindAsync(
        Func<int> taken, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        TenantId? after = null;
        while (true)
        {
            var now = Instant.Of(clock.GetUtcNow());
            var tenants = await store.Work.TenantsWithDueDeltasAsync(now, after, options.WorkPage, cancellation).ConfigureAwait(false);
            foreach (var tenant in tenants)
            {
                foreach (var account in await AccountsOfAsync(store.Of(tenant), now, cancellation).ConfigureAwait(false))
                {
                    var due = await store.Of(tenant).Deltas.DueAsync(
                        account.Id, account.Livemode, now, options.WorkPage + taken(), cancellation).ConfigureAwait(false);
                    foreach (var key in due)
                        yield return new TenantDocument(tenant, key);
                }
            }

            if (tenants.Count < options.WorkPage)
                yield break;
            after = tenants[^1];
        }
    }

    /// <summary>The accounts of a tenant's due documents, as far as they may be called now.</summary>
    private async Task<IReadOnlyList<AccountMode>> AccountsOfAsync(ITenantStore tenant, Instant now, CancellationToken cancellation)
    {
        var callable = new List<AccountMode>();
        foreach (var account in await tenant.Deltas.DueAccountsAsync(now, options.RememberedObjects, cancellation).ConfigureAwait(false))
        {
            if (gates.Of(account).Breaker.ClosedFor == TimeSpan.Zero
                && await accounts.OfAsync(account.Id, account.Livemode, cancellation).ConfigureAwait(false) is not null)
            {
                callable.Add(account);
            }
        }

        return callable;
    }
}
