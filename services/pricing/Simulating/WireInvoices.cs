using System.Globalization;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Invoicing;
using StripeMeter.Metering.Pricing.Prices;
using StripeMeter.Metering.Pricing.Reading;
using StripeMeter.Metering.Pricing.Scenarios;
using StripeMeter.V1;

namespace StripeMeter.Pricing.Simulating;

/// <summary>Invoices of the library as messages.</summary>
internal static class WireInvoices
{
    public static SimulatedInvoice ToWire(Invoice invoice, IEnumerable<string> notes)
    {
        var wire = new SimulatedInvoice
        {
            CustomerRef = invoice.Customer,
            PeriodStart = invoice.Period.Start.ToTimestamp(),
            PeriodEnd = invoice.Period.End.ToTimestamp(),
            Currency = invoice.Currency.Code,
            Rounding = invoice.Rounding.ToString().ToLowerInvariant(),
            Subtotal = invoice.Subtotal,
            Discounts = invoice.Discounts,
            Credits = invoice.Credits,
            Tax = invoice.Tax,
            Total = invoice.Total,
        };
        wire.Lines.AddRange(invoice.Lines.Select(line => ToWire(line, invoice.Currency)));
        wire.Steps.AddRange(invoice.Steps.Select(step => new SimulatedStep
        {
            Kind = step.Kind.ToString().ToLowerInvariant(), Name = step.Name, Amount = step.Amount,
            Explanation = Explanation.Of(step, invoice.Currency),
        }));
        wire.Notes.AddRange(notes);
        return wire;
    }

    public static SimulatedDifference ToWire(Difference difference) => new()
    {
        Field = difference.Field, Expected = difference.Expected, Actual = difference.Actual,
        Difference = difference.Amount?.ToString(CultureInfo.InvariantCulture) ?? "",
    };

    private static SimulatedLine ToWire(InvoiceLine line, Currency currency)
    {
        var wire = new SimulatedLine { Metric = line.Metric, Quantity = line.Item.Quantity.ToString(), Amount = line.Amount };
        wire.Parts.AddRange(line.Priced.Parts.Select(part => ToWire(part, currency, line.Share)));
        return wire;
    }

    private static SimulatedPart ToWire(Metering.Pricing.Prices.LinePart part, Currency currency, PeriodShare share) => new()
    {
        Kind = Explanation.Word(part.Kind),
        Tier = part.Tier ?? 0,
        Quantity = part.Quantity.ToString(),
        UnitAmount = ExactDecimal.Trim(part.UnitAmount).ToString(CultureInfo.InvariantCulture),
        Amount = part.Amount,
        Explanation = Explanation.Of(part, currency, share),
    };
}
