using StripeMeter.Metering.Tenants;

namespace StripeMeter.Metering.Pushing;

/// <summary>Names a delta document within its tenant: one Stripe customer on one meter of one account.</summary>
/// <param name="Account">Id that <c>GET /v1/account</c> answers. A double of Stripe has its own, so nothing it took counts as taken by Stripe.</param>
/// <param name="Livemode">False for Stripe's test mode.</param>
/// <param name="MeterId"><c>mtr_…</c>.</param>
/// <param name="StripeCustomer">Value of the payload's customer key.</param>
public readonly record struct DeltaKey(string Account, bool Livemode, string MeterId, string StripeCustomer);

/// <summary>An account as delta documents name it.</summary>
/// <param name="Id"><c>acct_…</c></param>
/// <param name="Livemode">False for Stripe's test mode.</param>
public readonly record struct AccountMode(string Id, bool Livemode);

/// <summary>A delta document of any tenant.</summary>
public readonly record struct DeltaPlace(TenantId Tenant, DeltaKey Key);

/// <summary>How a meter wants its events written, as read from Stripe.</summary>
/// <param name="EventName">Event name of the meter.</param>
/// <param name="CustomerKey">Payload key of the customer.</param>
/// <param name="ValueKey">Payload key of the value.</param>
public readonly record struct MeterNames(string EventName, string CustomerKey, string ValueKey)
{
    /// <summary>How the meter is told.</summary>
    public SinkKind Sink { get; init; }
}
