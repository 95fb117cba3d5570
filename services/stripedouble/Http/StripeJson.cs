using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace StripeMeter.StripeDouble.Http;

internal static class StripeJson
{
    public static JsonSerializerOptions Options { get; } = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, WriteIndented = false,
        TypeInfoResolver = new System.Text.Json.Serialization.Metadata.DefaultJsonTypeInfoResolver(),
    };

    /// <summary>A JSON number with exactly these digits, however many.</summary>
    public static JsonNode Number(string digits) => JsonNode.Parse(digits)!;

    public static JsonObject Object(IEnumerable<KeyValuePair<string, string>> values) =>
        new(values.Select(static value => KeyValuePair.Create(value.Key, (JsonNode?)value.Value)));
}
