using System.Globalization;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Pricing.Prices;
using StripeMeter.V1;

namespace StripeMeter.Pricing.Projecting;

/// <summary>Prices the lines of a projection.</summary>
public static class ProjectionLines
{
    private const string NoPrice = "the mapping names no price";

    /// <param name="mapping">The mapping of the metric.</param>
    /// <param name="counter">What was counted; null if nothing was.</param>
    /// <param name="price">The mapped price; null if the mapping names none.</param>
    /// <param name="minorUnits">The line in minor units; 0 if it has no price.</param>
    public static ProjectionLine Of(Mapping mapping, Counter? counter, FoundPrice? price, out long minorUnits)
    {
        ArgumentNullException.ThrowIfNull(mapping);
        minorUnits = 0;
        var quantity = QuantityOf(counter, mapping.Aggregation);
        var line = new ProjectionLine { Metric = mapping.Metric, PriceId = mapping.PriceId, Quantity = quantity.ToString() };
        if (price?.Terms is not { UnitAmount: { } unitAmount, Currency: var currency })
        {
            line.UnpricedReason = price?.Terms?.UnpricedReason ?? price?.Problem ?? NoPrice;
            return line;
        }

        try
        {
            minorUnits = LinePricing.Total(quantity, unitAmount);
            line.UnitPrice = AmountText.OfUnit(unitAmount, currency);
            line.Total = AmountText.Of(minorUnits, currency);
        }
        catch (OverflowException)
        {
            (minorUnits, line.UnitPrice) = (0, "");
            line.UnpricedReason = "the amount is too large to be kept";
        }

        if (minorUnits % currency.ChargeStep != 0)
            line.Note = $"Stripe charges {currency} in steps of {currency.ChargeStep} minor units; how it rounds this line is not documented";
        return line;
    }

    /// <summary>The billed usage. A counter of which nothing was counted is 0 in every aggregation.</summary>
    private static Quantity QuantityOf(Counter? counter, Aggregation aggregation)
    {
        if (counter is null)
            return Quantity.Zero;
        var text = aggregation switch
        {
            Aggregation.Count => counter.Count.ToString(CultureInfo.InvariantCulture),
            Aggregation.Max => counter.Max,
            Aggregation.Min => counter.Min,
            Aggregation.Last => counter.Last,
            _ => counter.Sum,
        };
        return text.Length == 0 ? Quantity.Zero : Quantity.Parse(text);
    }
}
