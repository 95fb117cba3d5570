using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Prices;

namespace StripeMeter.Pricing.Prices;

/// <summary>What a price says of its lines.</summary>
/// <param name="Currency">The currency of the price.</param>
/// <param name="Model">How its lines are computed. Null when they cannot be.</param>
/// <param name="UnpricedReason">Why they cannot be computed. Null when they can.</param>
public sealed record PriceTerms(Currency Currency, PriceModel? Model, string? UnpricedReason);
