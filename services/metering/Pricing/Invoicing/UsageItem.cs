using StripeMeter.Metering.Pricing.Prices;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pricing.Invoicing;

/// <summary>
/// Something on an invoice: usage of a metric by a price. When the plan or the price changes within the period, there is
/// one item before and one after the change, each with its own window and quantity.
/// </summary>
/// <param name="Metric">The metric, or what the fee is called.</param>
/// <param name="Quantity">The usage within the window.</param>
/// <param name="Price">The price.</param>
public sealed record UsageItem(string Metric, Quantity Quantity, PriceModel Price)
{
    /// <summary>Start of the window, inclusive; null is the start of the period.</summary>
    public Instant? From { get; init; }

    /// <summary>End of the window, exclusive; null is the end of the period.</summary>
    public Instant? To { get; init; }

    /// <summary>
    /// Whether the amount is for the time and not for the use: a licence fee, of which the share of the window is due.
    /// Metered usage is not prorated; its quantity says what was used.
    /// </summary>
    public bool Prorated { get; init; }
}
