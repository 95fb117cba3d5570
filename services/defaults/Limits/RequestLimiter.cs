using StripeMeter.Defaults.Access;
using StripeMeter.Metering.Identity;

namespace StripeMeter.Defaults.Limits;

/// <summary>How often callers may come: each key, and each tenant with all of its keys and tokens.</summary>
public sealed class RequestLimiter
{
    private const int MaximumBuckets = 100_000;
    private readonly TokenBuckets _keys;
    private readonly TokenBuckets _tenants;

    public RequestLimiter(AccessOptions options, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        Window = TimeSpan.FromSeconds(options.WindowSeconds);
        _keys = new TokenBuckets(options.KeyRequests, Window, MaximumBuckets, clock);
        _tenants = new TokenBuckets(options.TenantRequests, Window, MaximumBuckets, clock);
    }

    public TimeSpan Window { get; }

    /// <summary>Takes a token of both; answers the one that is nearer to its end.</summary>
    public Allowance Take(Principal caller)
    {
        ArgumentNullException.ThrowIfNull(caller);
        var ofKey = _keys.Take(caller.Name);
        if (!ofKey.IsGranted || caller.OwnTenant is not { } tenant)
            return ofKey;
        var ofTenant = _tenants.Take(tenant.Value);
        return ofTenant.Remaining < ofKey.Remaining || !ofTenant.IsGranted ? ofTenant : ofKey;
    }
}
