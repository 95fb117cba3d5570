using StripeMeter.Metering.Pricing.Prices;
using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Pricing.Reading;

/// <summary>
/// Reads a price as Stripe writes it (https://docs.stripe.com/api/prices/object), amounts in minor units. Besides:
/// <c>included_quantity</c>, <c>minimum</c>, <c>maximum</c>. Members of Stripe's object that change no amount are skipped.
/// </summary>
public static class PriceReader
{
    /// <returns>The price; null when the reader holds problems of it.</returns>
    public static PriceModel? Read(FieldReader fields)
    {
        var before = fields.Problems.Count;
        var currency = ReadCurrency(fields);
        fields.Ignore(
            "id", "object", "active", "created", "livemode", "lookup_key", "metadata", "nickname", "product", "recurring",
            "tax_behavior", "type");
        foreach (var name in (ReadOnlySpan<string>)["currency_options", "custom_unit_amount"])
        {
            if (fields.Has(name))
                fields.Refuse(name, "is not supported");
        }

        var tiered = fields.Word("billing_scheme", "per_unit", "tiered") == "tiered";
        var scheme = tiered ? ReadTiers(fields) : ReadUnits(fields);
        var price = new PriceModel(currency, scheme)
        {
            IncludedQuantity = fields.Quantity("included_quantity") ?? Quantity.Zero,
            Minimum = fields.Whole("minimum") ?? 0,
            Maximum = fields.Whole("maximum"),
        };
        fields.RefuseOthers();
        if (fields.Problems.Count > before)
            return null;
        fields.Refuse(price.Problems().Select(problem => problem with { Path = fields.PathOf(problem.Path) }));
        return fields.Problems.Count > before ? null : price;
    }

    /// <summary>A currency that Stripe knows.</summary>
    internal static Currency ReadCurrency(FieldReader fields)
    {
        var code = fields.Text("currency", required: true);
        if (code is not null && Currency.IsKnown(code))
            return new Currency(code);
        if (code is not null)
            fields.Refuse("currency", $"'{code}' is not a currency that Stripe knows");
        return new Currency("usd");
    }

    private static BillingScheme ReadUnits(FieldReader fields)
    {
        if (fields.Has("tiers"))
            fields.Refuse("tiers", "goes with billing_scheme tiered");
        fields.Ignore("tiers_mode");
        var unitAmount = ReadAmount(fields, "unit_amount", required: true) ?? 0;
        if (fields.Member("transform_quantity") is not { } transform)
            return new PerUnitScheme(unitAmount);
        var package = new PackageScheme(
            unitAmount, transform.Whole("divide_by", required: true) ?? 1, transform.Word("round", "up", "down") == "up");
        transform.RefuseOthers();
        return package;
    }

    private static TieredScheme ReadTiers(FieldReader fields)
    {
        if (fields.Has("transform_quantity"))
            fields.Refuse("transform_quantity", "cannot be combined with tiers");
        if (fields.Has("unit_amount") || fields.Has("unit_amount_decimal"))
            fields.Refuse("unit_amount", "goes with billing_scheme per_unit");
        fields.Text("tiers_mode", required: true);
        var mode = fields.Word("tiers_mode", "graduated", "volume") == "volume" ? TiersMode.Volume : TiersMode.Graduated;
        return new TieredScheme(mode, [.. fields.Items("tiers", required: true, TieredScheme.MaximumTiers).Select(ReadTier)]);
    }

    private static PriceTier ReadTier(FieldReader fields)
    {
        var (unit, flat) = (ReadAmount(fields, "unit_amount"), ReadAmount(fields, "flat_amount"));
        if (unit is null && flat is null)
            fields.Refuse("unit_amount", "or flat_amount is required");
        var upTo = ReadBound(fields);
        fields.RefuseOthers();
        return new PriceTier(upTo, unit ?? 0, flat ?? 0);
    }

    /// <summary>Stripe writes the last bound as null, and reads it as <c>inf</c>.</summary>
    private static Quantity? ReadBound(FieldReader fields)
    {
        if (!fields.Has("up_to") || fields.IsText("up_to", "inf"))
            return null;
        return fields.Quantity("up_to");
    }

    /// <summary>An integer, or with <c>_decimal</c> a number with decimals. Stripe writes both when they are equal.</summary>
    private static decimal? ReadAmount(FieldReader fields, string name, bool required = false)
    {
        var (whole, exact) = (fields.Whole(name), fields.Number(name + "_decimal"));
        if (whole is not null && exact is not null && whole != exact)
            fields.Refuse(name, $"differs from {name}_decimal");
        if (required && !fields.Has(name) && !fields.Has(name + "_decimal"))
            fields.Refuse(name, $"or {name}_decimal is required");
        return exact ?? whole;
    }
}
