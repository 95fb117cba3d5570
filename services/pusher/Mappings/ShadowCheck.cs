using StripeMeter.Defaults.Configuration;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Pusher.Raising;
using StripeMeter.Pusher.StripeApi;

namespace StripeMeter.Pusher.Mappings;

/// <summary>
/// Refuses to start while a mapping wants shadow usage and there is no test key for it: it would be missing where somebody
/// relies on it.
/// </summary>
internal sealed class ShadowCheck(IMeterStore store, StripeAccounts accounts, PusherOptions options) : IHostedService
{
    /// <exception cref="InvalidSettingException">Names the tenant and the metric.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (accounts.ShadowOf(StripeCalls.OwnAccount) is not null)
            return;
        TenantId? after = null;
        while (true)
        {
            var tenants = await store.Work.TenantsWithMappingsAsync(after, options.WorkPage, cancellationToken).ConfigureAwait(false);
            foreach (var tenant in tenants)
                await CheckAsync(tenant, cancellationToken).ConfigureAwait(false);
            if (tenants.Count < options.WorkPage)
                return;
            after = tenants[^1];
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task CheckAsync(TenantId tenant, CancellationToken cancellation)
    {
        var mappings = await TenantMappings.LoadAsync(store.Of(tenant), options.MappingsOfTenant, cancellation).ConfigureAwait(false);
        if (mappings.All.FirstOrDefault(mapping => mapping.Shadow && accounts.ShadowOf(mapping.ShadowStripeAccount) is null) is { } mapping)
        {
            throw new InvalidSettingException(
                $"STRIPE_TEST_SECRET_KEY: is missing, and the mapping {mapping.Id} of tenant {tenant} pushes the shadow of '{mapping.Metric}'. Set a test key, or end the shadow of that mapping.");
        }
    }
}
