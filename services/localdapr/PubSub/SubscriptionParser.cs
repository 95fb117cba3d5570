using System.Text.Json;
using StripeMeter.LocalDapr.Resources;

namespace StripeMeter.LocalDapr.PubSub;

/// <summary>Reads what an app answers at <c>/dapr/subscribe</c>.</summary>
internal static class SubscriptionParser
{
    /// <exception cref="LocalDaprConfigurationException">It asks for something that is not supported.</exception>
    public static List<TopicSubscription> Parse(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        if (document.RootElement.ValueKind != JsonValueKind.Array)
            throw new LocalDaprConfigurationException("the app's answer at /dapr/subscribe is not a list");
        return [.. document.RootElement.EnumerateArray().Select(ParseOne)];
    }

    private static TopicSubscription ParseOne(JsonElement element)
    {
        var metadata = element.TryGetProperty("metadata", out var values) && values.ValueKind == JsonValueKind.Object
            ? values.EnumerateObject().ToDictionary(static pair => pair.Name, static pair => pair.Value.ToString())
            : [];
        return new TopicSubscription
        {
            PubSubName = Text(element, "pubsubName") ?? Text(element, "pubsubname") ?? throw Missing("pubsubname"),
            Topic = Text(element, "topic") ?? throw Missing("topic"),
            Route = RouteOf(element),
            Metadata = metadata,
            RawPayload = metadata.TryGetValue("rawPayload", out var raw) && bool.TryParse(raw, out var yes) && yes,
            DeadLetterTopic = Text(element, "deadLetterTopic"),
            Bulk = BulkOf(element),
        };
    }

    private static string RouteOf(JsonElement element)
    {
        if (element.TryGetProperty("routes", out var routes) && routes.ValueKind == JsonValueKind.Object)
        {
            if (routes.TryGetProperty("rules", out var rules) && rules.ValueKind == JsonValueKind.Array && rules.GetArrayLength() > 0)
                throw new LocalDaprConfigurationException("routing rules (CEL) are not supported; use routes.default");
            if (Text(routes, "default") is { } path)
                return Rooted(path);
        }

        return Rooted(Text(element, "route") ?? throw Missing("route"));
    }

    internal static string Rooted(string path) => path.StartsWith('/') ? path : "/" + path;

    private static BulkSubscription? BulkOf(JsonElement element)
    {
        if (!element.TryGetProperty("bulkSubscribe", out var bulk) || bulk.ValueKind != JsonValueKind.Object
            || !bulk.TryGetProperty("enabled", out var enabled) || enabled.ValueKind != JsonValueKind.True)
            return null;
        var defaults = new BulkSubscription();
        return new BulkSubscription { MaximumMessages = Number(bulk, "maxMessagesCount", defaults.MaximumMessages),
            MaximumAwaitMs = Number(bulk, "maxAwaitDurationMs", defaults.MaximumAwaitMs) };
    }

    private static int Number(JsonElement element, string name, int otherwise) =>
        element.TryGetProperty(name, out var value) && value.TryGetInt32(out var number) && number > 0 ? number : otherwise;

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            && value.GetString() is { Length: > 0 } text ? text : null;

    private static LocalDaprConfigurationException Missing(string name) => new($"a subscription of the app has no {name}");
}
