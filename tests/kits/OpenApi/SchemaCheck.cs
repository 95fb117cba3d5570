using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace StripeMeter.Kits.OpenApi;

/// <summary>Holds JSON to the part of JSON Schema that the gateway's document uses.</summary>
internal sealed class SchemaCheck(ApiDocument document)
{
    public IEnumerable<string> Breaks(JsonNode? value, JsonNode? schema, string path)
    {
        if (document.Resolve(schema) is not JsonObject rules)
            return [];
        if (rules["oneOf"] is JsonArray choices)
            return choices.Any(choice => !Breaks(value, choice, path).Any()) ? [] : [$"{path} fits none of its schemas"];
        if (rules["type"] is { } type && !TypesOf(type).Contains(TypeOf(value)) && !(TypeOf(value) == "integer" && TypesOf(type).Contains("number")))
            return [$"{path} is {TypeOf(value)}, not {type.ToJsonString()}"];
        if (rules["enum"] is JsonArray words && !words.Any(word => JsonNode.DeepEquals(word, value)))
            return [$"{path} is none of {words.ToJsonString()}"];
        return value switch
        {
            JsonObject members => MemberBreaks(members, rules, path),
            JsonArray items => items.SelectMany((item, index) => Breaks(item, rules["items"], FormattableString.Invariant($"{path}[{index}]"))),
            JsonValue text when TypeOf(text) == "string" => TextBreaks((string)text!, rules, path),
            _ => [],
        };
    }

    private IEnumerable<string> MemberBreaks(JsonObject members, JsonObject rules, string path)
    {
        foreach (var name in rules["required"]?.AsArray() ?? [])
        {
            if (!members.ContainsKey((string)name!))
                yield return $"{path}.{name} is missing";
        }

        foreach (var (name, value) in members)
        {
            var schema = rules["properties"]?[name] ?? rules["additionalProperties"];
            if (schema is null && rules["properties"] is not null)
                yield return $"{path}.{name} is not documented";
            foreach (var problem in Breaks(value, schema, $"{path}.{name}"))
                yield return problem;
        }
    }

    private static IEnumerable<string> TextBreaks(string text, JsonObject rules, string path)
    {
        if ((int?)rules["maxLength"] is { } most && text.Length > most)
            yield return $"{path} has {text.Length} characters, more than {most}";
        if ((string?)rules["format"] == "date-time" && !DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out _))
            yield return $"{path} is no point in time";
    }

    private static IEnumerable<string?> TypesOf(JsonNode type) => type is JsonArray several ? several.Select(one => (string?)one) : [(string?)type];

    private static string TypeOf(JsonNode? value) => value?.GetValueKind() switch
    {
        null or JsonValueKind.Null => "null",
        JsonValueKind.True or JsonValueKind.False => "boolean",
        JsonValueKind.Number => value.ToJsonString().AsSpan().ContainsAny(".eE") ? "number" : "integer",
        JsonValueKind.String => "string",
        JsonValueKind.Array => "array",
        _ => "object",
    };
}
