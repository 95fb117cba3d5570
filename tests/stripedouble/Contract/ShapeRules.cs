using System.Text.Json;
using System.Text.Json.Nodes;

namespace StripeMeter.StripeDouble.Tests.Contract;

/// <summary>
/// What the table says of objects: by path, either the JSON types a value may have, or the kind of object that it is, or an
/// array of the values it may have. <c>[]</c> at the end of a name stands for every element of a list, of which there must be one.
/// </summary>
internal sealed class ShapeRules(JsonObject kinds)
{
    /// <summary>What is wrong with an object of a kind.</summary>
    public IEnumerable<string> FaultsOf(string kind, JsonNode? found) => FaultsOf(kinds[kind]!["fields"]!.AsObject(), found);

    /// <summary>What is wrong with a page of objects of a kind. An empty one shows nothing, so it is wrong too.</summary>
    public IEnumerable<string> ListFaults(string kind, string url, JsonObject list)
    {
        var fields = new JsonObject
        {
            ["object"] = new JsonArray("list"), ["url"] = new JsonArray(url), ["has_more"] = "boolean", ["data[]"] = kind,
        };
        return FaultsOf(fields, list);
    }

    /// <summary>What in an object breaks the rules of its fields.</summary>
    public IEnumerable<string> FaultsOf(JsonObject fields, JsonNode? found) => fields.SelectMany(field =>
    {
        var values = ValuesAt(found, field.Key.Split('.')).ToList();
        return values.Count == 0 ? [$"{field.Key} has no elements"] : values.SelectMany(value => FaultsOf(field.Key, field.Value!, value));
    });

    private IEnumerable<string> FaultsOf(string path, JsonNode rule, JsonNode? value)
    {
        if (rule is JsonArray allowed)
            return allowed.Any(one => JsonNode.DeepEquals(one, value)) ? [] : [$"{path} is {value?.ToJsonString() ?? "null"}, not one of {allowed.ToJsonString()}"];
        var expected = (string)rule!;
        if (kinds.ContainsKey(expected))
            return FaultsOf(expected, value).Select(fault => $"{path}: {fault}");
        return expected.Split(" or ").Contains(TypeOf(value)) ? [] : [$"{path} is {TypeOf(value)}, not {expected}"];
    }

    private static IEnumerable<JsonNode?> ValuesAt(JsonNode? from, ReadOnlySpan<string> names)
    {
        if (names.IsEmpty)
            return [from];
        var (name, rest) = (names[0], names[1..].ToArray());
        if (!name.EndsWith("[]", StringComparison.Ordinal))
            return ValuesAt((from as JsonObject)?[name], rest);
        return (from as JsonObject)?[name[..^2]] is JsonArray list ? list.SelectMany(element => ValuesAt(element, rest)) : [];
    }

    private static string TypeOf(JsonNode? value) => value?.GetValueKind() switch
    {
        null => "null",
        JsonValueKind.True or JsonValueKind.False => "boolean",
        var other => other.ToString()!.ToLowerInvariant(),
    };
}
