using System.Net;
using StripeMeter.Defaults.Limits;

namespace StripeMeter.Gateway.Access;

/// <summary>How often one address may fail to prove who it is. Those who prove it are not concerned.</summary>
public sealed class AddressLimiter(GatewayOptions options, TimeProvider clock)
{
    private const int MaximumAddresses = 100_000;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private readonly TokenBuckets _failures = new(options.AddressFailures, Window, MaximumAddresses, clock);

    public Allowance TakeFailure(IPAddress? address) => _failures.Take(address?.ToString() ?? "");
}
