using StripeMeter.Metering.Periods;

namespace StripeMeter.Metering.Pushing;

/// <summary>What a line of an invoice bills.</summary>
/// <param name="StripeCustomer">The customer that is told; of a legacy price, the subscription item.</param>
/// <param name="Meter">Its meter; of a legacy price, the price. Null: not known, so it may be any.</param>
/// <param name="Period">Its service period.</param>
public sealed record BilledLine(string StripeCustomer, string? Meter, BillingPeriod Period);
