using Microsoft.Extensions.Diagnostics.HealthChecks;
using StripeMeter.Metering.Stores;

namespace StripeMeter.Defaults.Health;

/// <summary>Ready when the store serves reads and writes.</summary>
public sealed class StoreCheck(IMeterStore store) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        await store.CheckAsync(cancellationToken).ConfigureAwait(false);
        return HealthCheckResult.Healthy();
    }
}
