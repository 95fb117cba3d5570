using System.Globalization;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Invoicing;
using StripeMeter.Metering.Pricing.Prices;
using StripeMeter.Metering.Quantities;
using StripeMeter.Pricing.Prices;
using StripeMeter.V1;
using LinePart = StripeMeter.V1.LinePart;

namespace StripeMeter.Pricing.Projecting;

/// <summary>Prices the lines of a projection.</summary>
public static class ProjectionLines
{
    private const string NoPrice = "the mapping names no price";

    /// <summary>What goes on the invoice of a mapping; null with a line that says why nothing can.</summary>
    /// <param name="mapping">The mapping of the metric.</param>
    /// <param name="counter">What was counted; null if nothing was.</param>
    /// <param name="price">The mapped price; null if the mapping names none.</param>
    public static (UsageItem? Item, ProjectionLine Line) Of(Mapping mapping, Counter? counter, FoundPrice? price)
    {
        ArgumentNullException.ThrowIfNull(mapping);
        var quantity = QuantityOf(counter, mapping.Aggregation);
        var line = new ProjectionLine { Metric = mapping.Metric, PriceId = mapping.PriceId, Quantity = quantity.ToString() };
        if (price?.Terms?.Model is not { } model)
        {
            line.UnpricedReason = price?.Terms?.UnpricedReason ?? price?.Problem ?? NoPrice;
            return (null, line);
        }

        if (Fits(model, quantity))
            return (new UsageItem(mapping.Metric, quantity, model), line);
        line.UnpricedReason = "the amount is too large to be kept";
        return (null, line);
    }

    /// <summary>Fills in what a line of the invoice says.</summary>
    public static void Fill(ProjectionLine line, InvoiceLine billed)
    {
        var currency = billed.Item.Price.Currency;
        line.Total = AmountText.Of(billed.Amount, currency);
        if (billed.Item.Price.Scheme is PerUnitScheme perUnit)
            line.UnitPrice = AmountText.OfUnit(perUnit.UnitAmount, currency);
        if (billed.Amount % currency.ChargeStep != 0)
            line.Note = InvoiceNotes.StepNote(currency);
        line.Parts.AddRange(billed.Priced.Parts.Select(part => new LinePart
        {
            Kind = Explanation.Word(part.Kind),
            Tier = part.Tier ?? 0,
            Quantity = part.Quantity.ToString(),
            UnitPrice = AmountText.OfUnit(part.UnitAmount, currency),
            Total = AmountText.Of(part.Amount, currency),
            Explanation = Explanation.Of(part, currency, billed.Share),
        }));
    }

    private static bool Fits(PriceModel model, Quantity quantity)
    {
        try
        {
            UsagePricing.Price(model, quantity);
            return true;
        }
        catch (OverflowException)
        {
            return false;
        }
    }

    /// <summary>The billed usage. A counter of which nothing was counted is 0 in every aggregation.</summary>
    public static Quantity QuantityOf(Counter? counter, Aggregation aggregation) => counter is null
        ? Quantity.Zero
        : QuantityOf(aggregation, counter.Sum, counter.Count, counter.Min, counter.Max, counter.Last);

    /// <summary>The usage of a day, as it is billed.</summary>
    public static Quantity QuantityOf(UsageBucket bucket, Aggregation aggregation) =>
        QuantityOf(aggregation, bucket.Sum, bucket.Count, bucket.Min, bucket.Max, bucket.Last);

    private static Quantity QuantityOf(Aggregation aggregation, string sum, long count, string min, string max, string last)
    {
        var text = aggregation switch
        {
            Aggregation.Count => count.ToString(CultureInfo.InvariantCulture),
            Aggregation.Max => max,
            Aggregation.Min => min,
            Aggregation.Last => last,
            _ => sum,
        };
        return text.Length == 0 ? Quantity.Zero : Quantity.Parse(text);
    }
}
