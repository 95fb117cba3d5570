using System.Text.Json;
using StripeMeter.Gateway.Requests;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Mappings;

/// <summary>Reads the body of a mapping request into a mapping.</summary>
internal static class MappingBody
{
    private const string Aggregation = "aggregation";
    private const string Customers = "customers";
    private const string ShadowCustomers = "shadowCustomers";
    private const string Metric = "metric";

    /// <summary>Plain texts, and where they go.</summary>
    private static readonly (string Name, Action<Mapping, string> Set)[] Texts =
    [
        ("stripeAccount", (mapping, text) => mapping.StripeAccount = text),
        ("priceId", (mapping, text) => mapping.PriceId = text),
        ("meterId", (mapping, text) => mapping.MeterId = text),
        ("meterEventName", (mapping, text) => mapping.MeterEventName = text),
        ("subscriptionItemId", (mapping, text) => mapping.SubscriptionItemId = text),
        ("currency", (mapping, text) => mapping.Currency = text),
        ("shadowStripeAccount", (mapping, text) => mapping.ShadowStripeAccount = text),
        ("shadowPriceId", (mapping, text) => mapping.ShadowPriceId = text),
        ("shadowMeterId", (mapping, text) => mapping.ShadowMeterId = text),
        ("shadowMeterEventName", (mapping, text) => mapping.ShadowMeterEventName = text),
        ("shadowSubscriptionItemId", (mapping, text) => mapping.ShadowSubscriptionItemId = text),
    ];

    /// <summary>Members that a client may send.</summary>
    public static IReadOnlySet<string> Known { get; } =
        new HashSet<string>([.. Texts.Select(text => text.Name), "tenantId", Metric, Aggregation, "active", "shadow", Customers, ShadowCustomers]);

    /// <summary>Members of an answer that a client may send back; they are not changed.</summary>
    public static readonly string[] ReadOnly = ["id", "createdAt", "updatedAt"];

    /// <summary>Applies what the body holds to a mapping. What is wrong stands in the body.</summary>
    public static void Apply(JsonBody body, Mapping mapping)
    {
        if (body.Text(Metric) is { } metric)
            mapping.Metric = metric;
        if (body.Text(Aggregation) is { } word)
        {
            if (MappingWords.TryRead(word, out var aggregation))
                mapping.Aggregation = aggregation;
            else
                body.Add(Aggregation, $"must be one of {MappingWords.All}");
        }

        foreach (var (name, set) in Texts)
        {
            if (body.Has(name))
                set(mapping, body.Text(name) ?? "");
        }

        mapping.Active = body.Flag("active") ?? mapping.Active;
        mapping.Shadow = body.Flag("shadow") ?? mapping.Shadow;
        if (body.Has(Customers))
            mapping.CustomerRule = body.Object(Customers) is { } rule ? ReadRule(body, Customers, rule) : new CustomerRule();
        if (body.Has(ShadowCustomers))
            mapping.ShadowCustomerRule = body.Object(ShadowCustomers) is { } shadow ? ReadRule(body, ShadowCustomers, shadow) : null;
    }

    private static CustomerRule ReadRule(JsonBody body, string field, JsonElement sent)
    {
        var rule = new CustomerRule();
        foreach (var member in sent.EnumerateObject())
        {
            var (name, value) = (JsonBody.Name(member), member.Value);
            if (name == "prefix" && value.ValueKind == JsonValueKind.String && JsonBody.Text(value) is { } prefix)
                rule.Prefix = prefix;
            else if (name == "tableOnly" && value.ValueKind is JsonValueKind.True or JsonValueKind.False)
                rule.TableOnly = value.GetBoolean();
            else if (name == "table" && value.ValueKind == JsonValueKind.Object)
                ReadTable(body, field, rule, value);
            else if (value.ValueKind != JsonValueKind.Null || name is not ("prefix" or "table" or "tableOnly"))
                body.Add($"{field}.{name}", name is "prefix" or "table" or "tableOnly" ? "has the wrong type" : "is not known");
        }

        return rule;
    }

    private static void ReadTable(JsonBody body, string field, CustomerRule rule, JsonElement table)
    {
        foreach (var entry in table.EnumerateObject())
        {
            var reference = JsonBody.Name(entry);
            if (entry.Value.ValueKind == JsonValueKind.String && JsonBody.Text(entry.Value) is { } customer)
                rule.Table[reference] = customer;
            else
                body.Add($"{field}.table.{reference}", "must be a string");
        }
    }
}
