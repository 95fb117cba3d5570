using System.Text.Json;
using System.Text.Json.Nodes;

namespace StripeMeter.Cli.Printing;

/// <summary>Members of answers as text; numbers digit for digit.</summary>
internal static class JsonText
{
    /// <summary>The text of a member; "-" if it is absent or null.</summary>
    public static string Text(this JsonNode node, string name) => node[name] switch
    {
        null => "-",
        JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
        var other => other.ToJsonString(),
    };

    /// <summary>The elements of a member that is an array; none if it is absent.</summary>
    public static IEnumerable<JsonNode> Items(this JsonNode node, string name) =>
        node[name] is JsonArray array ? array.OfType<JsonNode>() : [];
}
