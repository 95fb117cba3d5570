using System.Text.Json.Nodes;
using StripeMeter.StripeDouble.Http;

namespace StripeMeter.StripeDouble.Prices;

/// <summary>Which prices a list shows; what is null does not matter.</summary>
internal sealed record PriceFilter(
    bool? Active, string? Currency, string? Product, string? Type, string? Interval, string? Meter, string? UsageType,
    IReadOnlyList<string> LookupKeys)
{
    public static PriceFilter Read(Parameters parameters)
    {
        var recurring = parameters.Map("recurring");
        return new(
            parameters.Boolean("active"),
            parameters.Text("currency"),
            parameters.Text("product"),
            parameters.Choice("type", "one_time", "recurring"),
            recurring?.Choice("interval", PriceRequest.Intervals),
            recurring?.Text("meter"),
            recurring?.Choice("usage_type", "licensed", "metered"),
            parameters.Texts("lookup_keys"));
    }

    public bool Matches(JsonObject price) =>
        (Active is null || (bool)price["active"]! == Active)
        && Has(price["currency"], Currency)
        && Has(price["product"], Product)
        && Has(price["type"], Type)
        && Has(price["recurring"]?["interval"], Interval)
        && Has(price["recurring"]?["meter"], Meter)
        && Has(price["recurring"]?["usage_type"], UsageType)
        && (LookupKeys.Count == 0 || LookupKeys.Contains((string?)price["lookup_key"]));

    private static bool Has(JsonNode? value, string? wanted) => wanted is null || (string?)value == wanted;
}
