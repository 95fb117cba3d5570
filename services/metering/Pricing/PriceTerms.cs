namespace StripeMeter.Metering.Pricing;

/// <summary>What a price says of its lines.</summary>
/// <param name="Currency">The currency of the price.</param>
/// <param name="UnitAmount">Price of one, in minor units. Null when the price does not work by the unit.</param>
/// <param name="UnpricedReason">Why its lines cannot be priced. Null when they can.</param>
public sealed record PriceTerms(Currency Currency, decimal? UnitAmount, string? UnpricedReason)
{
    public static PriceTerms PerUnit(Currency currency, decimal unitAmount) => new(currency, unitAmount, null);

    /// <summary>A price that bills in a way that is not priced here. Its lines are shown without an amount, never as 0.</summary>
    public static PriceTerms Unpriced(Currency currency, string reason) => new(currency, null, reason);
}
