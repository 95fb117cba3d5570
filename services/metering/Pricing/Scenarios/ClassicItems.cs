using StripeMeter.Metering.Pricing.Invoicing;
using StripeMeter.Metering.Pricing.Prices;
using StripeMeter.Metering.Pricing.Reading;
using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Pricing.Scenarios;

/// <summary>
/// Reads the older shape, which uses some of Stripe's words for other things: <c>tiered</c> is Stripe's graduated without
/// flat amounts; <c>graduated</c> has them, but not for a quantity of 0; <c>volume</c> ignores them. Amounts are in units
/// of the currency. A last tier with a bound is refused: what lies above it would be free.
/// </summary>
internal static class ClassicItems
{
    public static UsageItem? Read(FieldReader item)
    {
        var metric = item.Text("metric", required: true);
        var quantity = item.Quantity("quantity", required: true);
        if (quantity < Quantity.Zero)
            item.Refuse("quantity", "must not be negative");
        var price = item.Member("priceConfig", required: true) is { } config ? ReadPrice(config) : null;
        return metric is null || quantity is null || price is null ? null : new UsageItem(metric, quantity.Value, price);
    }

    public static InvoiceTerms ReadTerms(FieldReader inputs, IReadOnlyList<UsageItem> items)
    {
        var currency = items.Count > 0 ? items[0].Price.Currency : new Currency("usd");
        return new InvoiceTerms
        {
            Commitments = [.. inputs.Items("commitments").Select(fields => new Commitment("commitment", MinorUnits(fields, "amount", currency, true) ?? 0)
            {
                Applied = MinorUnits(fields, "applied", currency) ?? 0,
                Start = fields.Moment("startDate"),
                End = fields.Moment("endDate", wholeDay: true),
            })],
            Credits = [.. inputs.Items("credits").Select(fields =>
                new Credit(fields.Text("reason") ?? "credit", MinorUnits(fields, "amount", currency, true) ?? 0)
                {
                    ExpiresAt = fields.Moment("expiresAt", wholeDay: true),
                })],
            TaxRate = inputs.Number("taxRate") ?? 0,
        };
    }

    private static PriceModel? ReadPrice(FieldReader config)
    {
        var before = config.Problems.Count;
        var currency = PriceReader.ReadCurrency(config);
        var scheme = ReadScheme(config, currency);
        var price = new PriceModel(currency, scheme)
        {
            Minimum = MinorUnits(config, "minimumCharge", currency) ?? 0,
            Maximum = MinorUnits(config, "maximumCharge", currency) is { } maximum and not 0 ? maximum : null,
        };
        if (config.Problems.Count > before)
            return null;
        config.Refuse(price.Problems().Select(problem => problem with { Path = config.PathOf(Renamed(problem.Path)) }));
        return config.Problems.Count > before ? null : price;
    }

    private static BillingScheme ReadScheme(FieldReader config, Currency currency)
    {
        config.Text("model", required: true);
        var model = config.Word("model", "flat", "tiered", "graduated", "volume", "package");
        return model switch
        {
            "flat" => new PerUnitScheme(Amount(config, "unitPrice", currency, true) ?? 0),
            "package" => new PackageScheme(Amount(config, "unitPrice", currency, true) ?? 0, config.Whole("packageSize") ?? 1),
            _ => new TieredScheme(model == "volume" ? TiersMode.Volume : TiersMode.Graduated,
                [.. config.Items("tiers", required: true).Select(tier => ReadTier(tier, currency, model == "graduated"))])
            {
                ChargesFlatAtZero = false,
            },
        };
    }

    private static PriceTier ReadTier(FieldReader tier, Currency currency, bool hasFlat) => new(
        tier.Quantity("upTo"), Amount(tier, "unitPrice", currency, true) ?? 0, hasFlat ? Amount(tier, "flatPrice", currency) ?? 0 : 0);

    private static decimal? Amount(FieldReader fields, string name, Currency currency, bool required = false)
    {
        if (fields.Number(name, required) is not { } units)
            return null;
        var factor = currency.MinorDigits switch { 0 => 1m, 3 => 1_000m, _ => 100m };
        return ExactDecimal.Trim(units * factor);
    }

    private static long? MinorUnits(FieldReader fields, string name, Currency currency, bool required = false)
    {
        if (Amount(fields, name, currency, required) is not { } amount)
            return null;
        if (amount.Scale == 0)
            return (long)amount;
        fields.Refuse(name, $"has more than the {currency.MinorDigits} decimals of {currency}");
        return null;
    }

    /// <summary>Paths of a price, by the words of this shape.</summary>
    private static string Renamed(string path) => path.Replace("unit_amount", "unitPrice", StringComparison.Ordinal)
        .Replace("flat_amount", "flatPrice", StringComparison.Ordinal).Replace("up_to", "upTo", StringComparison.Ordinal)
        .Replace("transform_quantity.divide_by", "packageSize", StringComparison.Ordinal)
        .Replace("minimum", "minimumCharge", StringComparison.Ordinal).Replace("maximum", "maximumCharge", StringComparison.Ordinal);
}
