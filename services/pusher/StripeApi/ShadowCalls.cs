using StripeMeter.Defaults.Billing;

namespace StripeMeter.Pusher.StripeApi;

/// <summary>Calls to a test account, for usage that is pushed there beside the billed one. No live key makes one of these.</summary>
internal sealed class ShadowCalls(StripeTestKey key, Uri address, string account, TimeSpan timeout, TimeProvider clock)
    : StripeCalls(key.Reveal(), address, account, timeout, clock)
{
    public override bool Livemode => false;
}
