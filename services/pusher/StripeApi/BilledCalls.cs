using StripeMeter.Defaults.Billing;

namespace StripeMeter.Pusher.StripeApi;

/// <summary>Calls to an account whose usage is billed; with a test key, or at a double, for trying that out.</summary>
internal sealed class BilledCalls(StripeKey key, Uri address, string account, TimeSpan timeout, TimeProvider clock)
    : StripeCalls(key.Reveal(), address, account, timeout, clock)
{
    public override bool Livemode { get; } = key.IsLive;
}
