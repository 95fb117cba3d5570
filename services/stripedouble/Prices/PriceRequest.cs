using System.Globalization;
using System.Text.Json.Nodes;
using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.Storage;
using StripeMeter.StripeDouble.UsageRecords;

namespace StripeMeter.StripeDouble.Prices;

/// <summary>Reads the parameters of a price into the object the API shows.</summary>
internal static class PriceRequest
{
    public static string[] Intervals { get; } = ["day", "week", "month", "year"];

    /// <param name="call">The request.</param>
    /// <param name="newProduct">Id of the product that is made with the price; null when it names one.</param>
    public static JsonObject Read(StripeCall call, string? newProduct)
    {
        var parameters = call.Parameters;
        var scheme = parameters.Choice("billing_scheme", "per_unit", "tiered") ?? "per_unit";
        var unitAmount = Money.Read(parameters, "unit_amount");
        var (tiers, mode) = ReadTiers(parameters, scheme, unitAmount);
        var recurring = ReadRecurring(parameters, isLegacy: UsageRecordApi.IsServed(call));
        return new()
        {
            ["id"] = Identifiers.Create("price_", 24),
            ["object"] = PriceApi.Kind,
            ["active"] = parameters.Boolean("active") ?? true,
            ["billing_scheme"] = scheme,
            ["created"] = call.NowSeconds,
            ["currency"] = ReadCurrency(parameters),
            ["custom_unit_amount"] = null,
            ["livemode"] = false,
            ["lookup_key"] = parameters.Text("lookup_key", 200),
            ["metadata"] = Metadata.Read(parameters),
            ["nickname"] = parameters.Text("nickname"),
            ["product"] = newProduct ?? parameters.RequiredText("product"),
            ["recurring"] = recurring,
            ["tax_behavior"] = parameters.Choice("tax_behavior", "exclusive", "inclusive", "unspecified") ?? "unspecified",
            ["tiers"] = tiers,
            ["tiers_mode"] = mode,
            ["transform_quantity"] = ReadTransform(parameters, scheme),
            ["type"] = recurring is null ? "one_time" : "recurring",
            ["unit_amount"] = unitAmount?.Whole,
            ["unit_amount_decimal"] = unitAmount?.Text,
        };
    }

    private static string ReadCurrency(Parameters parameters)
    {
        var currency = parameters.RequiredText("currency");
        return currency.Length == 3 && currency.All(char.IsAsciiLetter)
            ? currency.ToLowerInvariant()
            : throw StripeRefusal.Invalid("currency", $"Invalid currency: {currency} must be a three-letter code.");
    }

    /// <summary>Usage is metered by meters only, unless the version is older; and a meter serves metered usage only.</summary>
    private static JsonObject? ReadRecurring(Parameters parameters, bool isLegacy)
    {
        if (parameters.Map("recurring") is not { } recurring)
            return null;
        var usageType = recurring.Choice("usage_type", "licensed", "metered") ?? "licensed";
        var meter = recurring.Text("meter");
        if (usageType == "metered" && meter is null && !isLegacy)
            throw StripeRefusal.Missing("recurring[meter]");
        if (usageType != "metered" && meter is not null)
            throw StripeRefusal.Invalid("recurring[meter]", "A meter needs recurring[usage_type] metered.");
        var count = recurring.Integer("interval_count") ?? 1;
        return count is >= 1 and <= 1_095
            ? new()
            {
                ["interval"] = recurring.RequiredChoice("interval", Intervals),
                ["interval_count"] = count,
                ["meter"] = meter,
                ["trial_period_days"] = recurring.Integer("trial_period_days"),
                ["usage_type"] = usageType,
            }
            : throw StripeRefusal.Invalid("recurring[interval_count]", "recurring[interval_count] must be 1 to 1095.");
    }

    private static (JsonArray? Tiers, string? Mode) ReadTiers(Parameters parameters, string scheme, Money? unitAmount)
    {
        var tiers = parameters.Maps("tiers");
        var mode = parameters.Choice("tiers_mode", "graduated", "volume");
        if (scheme == "tiered")
        {
            if (unitAmount is not null)
                throw StripeRefusal.Invalid("unit_amount", "A tiered price has no unit_amount of its own.");
            if (tiers.Count == 0)
                throw StripeRefusal.Missing("tiers");
            return (ReadTiers(tiers), mode ?? throw StripeRefusal.Missing("tiers_mode"));
        }

        if (tiers.Count > 0 || mode is not null)
            throw StripeRefusal.Invalid("tiers", "Tiers need billing_scheme tiered.");
        return unitAmount is null ? throw StripeRefusal.Missing("unit_amount") : (null, null);
    }

    private static JsonArray ReadTiers(IReadOnlyList<Parameters> tiers)
    {
        var read = new JsonArray();
        var lastUpTo = 0L;
        for (var index = 0; index < tiers.Count; index++)
        {
            var tier = tiers[index];
            var isLast = index == tiers.Count - 1;
            var upTo = ReadUpTo(tier);
            if (upTo is null != isLast || upTo <= lastUpTo)
                throw StripeRefusal.Invalid(tier.Name("up_to"), "Tiers must rise, and the last and only the last must be up to inf.");
            lastUpTo = upTo ?? lastUpTo;
            var (unit, flat) = (Money.Read(tier, "unit_amount"), Money.Read(tier, "flat_amount"));
            if (unit is null && flat is null)
                throw StripeRefusal.Missing(tier.Name("unit_amount"));
            read.Add(new JsonObject
            {
                ["flat_amount"] = flat?.Whole,
                ["flat_amount_decimal"] = flat?.Text,
                ["unit_amount"] = unit?.Whole,
                ["unit_amount_decimal"] = unit?.Text,
                ["up_to"] = upTo,
            });
        }

        return read;
    }

    /// <summary>The last unit of a tier; null for <c>inf</c>.</summary>
    private static long? ReadUpTo(Parameters tier)
    {
        var text = tier.RequiredText("up_to");
        if (text == "inf")
            return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var upTo)
            ? upTo
            : throw StripeRefusal.Invalid(tier.Name("up_to"), $"Invalid integer: {text}", "parameter_invalid_integer");
    }

    private static JsonObject? ReadTransform(Parameters parameters, string scheme)
    {
        if (parameters.Map("transform_quantity") is not { } transform)
            return null;
        if (scheme == "tiered")
            throw StripeRefusal.Invalid("transform_quantity", "transform_quantity cannot be combined with tiers.");
        var divideBy = transform.RequiredInteger("divide_by");
        return divideBy > 0
            ? new() { ["divide_by"] = divideBy, ["round"] = transform.RequiredChoice("round", "down", "up") }
            : throw StripeRefusal.Invalid("transform_quantity[divide_by]", "transform_quantity[divide_by] must be positive.");
    }
}
