using System.Text.Json;
using StripeMeter.Metering.Pricing.Invoicing;
using StripeMeter.Metering.Pricing.Prices;
using StripeMeter.Metering.Pricing.Reading;

namespace StripeMeter.Metering.Pricing.Comparing;

/// <summary>Reads a price list: <c>prices</c> by metric, as scenarios write them; <c>taxRate</c> if there is one.</summary>
public static class PriceListReader
{
    /// <exception cref="PricingException">A price is wrong; its field is named.</exception>
    public static PriceList Read(JsonElement document)
    {
        var fields = new FieldReader(document);
        var found = new Dictionary<string, PriceModel>();
        if (fields.Member("prices", required: true) is { } prices)
        {
            foreach (var metric in prices.Names())
            {
                if (prices.Member(metric, required: true) is { } price && PriceReader.Read(price) is { } model)
                    found.Add(metric, model);
            }
        }

        var tax = fields.Number("taxRate") ?? 0;
        if (tax is < 0 or > 100)
            fields.Refuse("taxRate", "must be 0 to 100");
        fields.RefuseOthers();
        fields.Check();
        return new PriceList(found) { Terms = new InvoiceTerms { TaxRate = tax } };
    }
}
