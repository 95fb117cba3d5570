using System.Globalization;
using System.Text.Json;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Invoicing;
using StripeMeter.Metering.Pricing.Prices;
using StripeMeter.Metering.Pricing.Reading;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Pricing.Tests.Kit;

/// <summary>Prices and invoices in few words.</summary>
internal static class Make
{
    public static readonly Currency Usd = new("usd");
    public static readonly BillingPeriod January = new(Instant.OfDate(2026, 1, 1), Instant.OfDate(2026, 2, 1));

    public static PriceModel PerUnit(decimal unitAmount, string currency = "usd") => new(new Currency(currency), new PerUnitScheme(unitAmount));

    public static PriceModel Package(decimal unitAmount, long divideBy, bool roundUp = true) =>
        new(Usd, new PackageScheme(unitAmount, divideBy, roundUp));

    /// <summary>Tiers such as <c>5:7+10 inf:6</c>: up to, unit amount, flat amount.</summary>
    public static PriceModel Tiered(TiersMode mode, string tiers) => new(Usd, new TieredScheme(mode, [.. tiers.Split(' ').Select(Tier)]));

    public static PriceModel Graduated(string tiers) => Tiered(TiersMode.Graduated, tiers);

    public static PriceModel Volume(string tiers) => Tiered(TiersMode.Volume, tiers);

    public static Quantity Q(string text) => Quantity.Parse(text);

    public static decimal D(string text) => decimal.Parse(text, CultureInfo.InvariantCulture);

    public static long Cost(this PriceModel price, string quantity, Rounding rounding = Rounding.Stripe) =>
        UsagePricing.Price(price, Q(quantity), rounding).Amount;

    public static Invoice Invoice(InvoiceTerms terms, params UsageItem[] items) => InvoiceSimulator.Simulate("cus_1", January, items, terms);

    /// <summary>An item that costs so many cents.</summary>
    public static UsageItem Item(long cents, string metric = "calls") => new(metric, Quantity.FromInteger(cents), PerUnit(1));

    public static JsonElement Json(string text)
    {
        using var document = JsonDocument.Parse(text.Replace('\'', '"'));
        return document.RootElement.Clone();
    }

    /// <summary>Reads a price, single quotes for double ones.</summary>
    public static (PriceModel? Price, string Problems) Read(string text)
    {
        var fields = new FieldReader(Json(text));
        var price = PriceReader.Read(fields);
        return (price, string.Join("; ", fields.Problems));
    }

    private static PriceTier Tier(string text)
    {
        var (bound, amounts) = text.Split(':') is [var left, var right] ? (left, right.Split('+')) : throw new FormatException(text);
        return new PriceTier(bound == "inf" ? null : Q(bound), D(amounts[0]), amounts.Length > 1 ? D(amounts[1]) : 0);
    }
}
