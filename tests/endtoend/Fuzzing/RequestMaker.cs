using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace StripeMeter.EndToEnd.Tests.Fuzzing;

/// <summary>
/// Makes requests for an operation from its description: values that its schemas allow, and, where they are to be broken,
/// values of other types, members left out, unknown or twice, texts cut off, and other content types.
/// </summary>
internal sealed class RequestMaker(ApiOperation operation, string tenant, DateTimeOffset now, Random random)
{
    private const int MaximumDepth = 6;

    private static readonly string[] Texts =
    [
        "", " ", "a", "cus_1", "api_calls", "0", "-1", "1e400", "99999999999999999999", "0.1", "null", "true", "ä😀", "\uFFFD", "a/b", "../..", "%2F",
        "'; DROP TABLE records; --", "{\"$gt\":\"\"}", "2026-01-31", "2026-13-01T00:00:00Z", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00.123456789Z",
        "P1D", "-PT24H", "sum", "Europe/Berlin", "price_1", "acct_1", "default", "\u0001", new('x', 300), new('9', 5_000),
    ];

    private static readonly string[] Numbers = ["0", "1", "-1", "0.1", "12.5", "1e3", "1e400", "-0", "123456789012345.123456789012", "9007199254740993", "1E-400"];
    private static readonly string[] BrokenTexts = ["", "{", "[", "nul", "\"", "{\"a\":}", "\u0000", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "{\"a\":1,\"a\":1}", "7", "\"\\ud800\"", "[]", "{}", "null"];
    private static readonly string[] ContentTypes = ["text/plain", "application/xml", "application/octet-stream", "application/json; charset=utf-16", "x"];

    private bool Once(int of) => random.Next(of) == 0;

    private T Any<T>(IReadOnlyList<T> choices) => choices[random.Next(choices.Count)];

    /// <param name="broken">Whether it is to be broken somewhere.</param>
    public HttpRequestMessage Make(bool broken)
    {
        var path = operation.Path;
        foreach (var (name, _, _) in operation.Parameters("path"))
            path = path.Replace($"{{{name}}}", Uri.EscapeDataString(Segment()), StringComparison.Ordinal);
        while (path.IndexOf('{', StringComparison.Ordinal) is var start and >= 0)
            path = path[..start] + Uri.EscapeDataString(Segment()) + path[(path.IndexOf('}', start) + 1)..];
        var request = new HttpRequestMessage(operation.Method, path + Query(broken && Once(2)));
        foreach (var (name, _, schema) in operation.Parameters("header"))
        {
            if (Once(3))
                request.Headers.TryAddWithoutValidation(name, Once(3) ? new string('k', random.Next(400)) : Printable(Text(schema)));
        }

        if (operation.Bodies.Count > 0)
            request.Content = Body(broken);
        return request;
    }

    /// <summary>Headers hold nothing else.</summary>
    private static string Printable(string text) => string.Concat(text.Where(character => character is > ' ' and < '\u007F'));

    private string Segment() => Any(Texts.Where(text => text.Trim().Trim('.', '/').Length is > 0 and < 1_000).ToArray());

    private string Query(bool broken)
    {
        var parts = new List<string>();
        foreach (var (name, required, schema) in operation.Parameters("query"))
        {
            if (!required && !Once(3))
                continue;
            if (broken && Once(4))
                continue;
            var value = name == "tenantId" && !(broken && Once(4)) ? tenant : broken && Once(2) ? Any(Texts) : Text(schema);
            parts.Add($"{name}={Uri.EscapeDataString(value)}");
            if (broken && Once(8))
                parts.Add(parts[^1]);
        }

        return parts.Count == 0 ? "" : "?" + string.Join('&', parts);
    }

    private ByteArrayContent Body(bool broken)
    {
        var (contentType, schema) = Any(operation.Bodies);
        var value = Value(schema, 0);
        if (broken && value is not null)
            Break(value);
        var text = value?.ToJsonString() ?? "null";
        if (broken && Once(6))
            text = Once(2) ? Any(BrokenTexts) : text[..random.Next(text.Length)];
        var bytes = Encoding.UTF8.GetBytes(text);
        if (broken && bytes.Length > 0 && Once(12))
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        var content = new ByteArrayContent(bytes);
        content.Headers.TryAddWithoutValidation("Content-Type", broken && Once(12) ? Any(ContentTypes) : contentType);
        return content;
    }

    /// <summary>A value that a schema allows; its example about as often as anything else.</summary>
    private JsonNode? Value(JsonNode? schema, int depth)
    {
        schema = operation.Resolve(schema);
        if (schema is not JsonObject)
            return Raw(Any(Numbers));
        if (schema["examples"] is JsonArray { Count: > 0 } examples && Once(2))
            return Own(examples[random.Next(examples.Count)]!.DeepClone());
        foreach (var union in (string[])["oneOf", "anyOf", "allOf"])
        {
            if (schema[union] is JsonArray { Count: > 0 } choices)
                return Value(choices[random.Next(choices.Count)], depth + 1);
        }

        if (depth > MaximumDepth)
            return null;
        return TypeOf(schema) switch
        {
            "object" => Object(schema, depth),
            "array" => new JsonArray([.. Enumerable.Range(0, random.Next(4)).Select(_ => Value(schema["items"], depth + 1))]),
            "boolean" => JsonValue.Create(Once(2)),
            "integer" => JsonValue.Create(random.Next(-2, 200)),
            "number" => Raw(Any(Numbers)),
            "null" => null,
            _ => JsonValue.Create(Text(schema)),
        };
    }

    private JsonObject Object(JsonNode schema, int depth)
    {
        var made = new JsonObject();
        var required = schema["required"]?.AsArray().Select(name => (string)name!).ToHashSet() ?? [];
        foreach (var (name, member) in schema["properties"]?.AsObject() ?? [])
        {
            if (required.Contains(name) || Once(2))
                made[name] = name == "tenantId" ? tenant : Value(member, depth + 1);
        }

        return made;
    }

    /// <summary>An example about this tenant and this time.</summary>
    private JsonNode Own(JsonNode example)
    {
        var text = example.ToJsonString().Replace("\"acme\"", $"\"{tenant}\"", StringComparison.Ordinal)
            .Replace("2026-01-16T14:30:00.123Z", now.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture), StringComparison.Ordinal);
        return JsonNode.Parse(text)!;
    }

    private string Text(JsonNode? schema)
    {
        schema = operation.Resolve(schema);
        if (schema is JsonObject && schema["enum"] is JsonArray { Count: > 0 } words)
            return Any(words.ToArray())?.ToString() ?? "";
        return (schema is JsonObject ? TypeOf(schema) : null) switch
        {
            "integer" => random.Next(-1, 1_200).ToString(CultureInfo.InvariantCulture),
            "boolean" => Once(2) ? "true" : "false",
            _ when (string?)schema?["format"] == "date-time" =>
                now.AddSeconds(-random.Next(1_000_000)).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
            _ => Any(Texts),
        };
    }

    private string? TypeOf(JsonNode schema) => schema["type"] switch
    {
        JsonArray types => (string?)types[random.Next(types.Count)],
        JsonValue type => (string?)type,
        _ => schema["properties"] is null ? "string" : "object",
    };

    /// <summary>Breaks one place of a value.</summary>
    private void Break(JsonNode value)
    {
        switch (value)
        {
            case JsonObject { Count: > 0 } members:
                var name = members.ElementAt(random.Next(members.Count)).Key;
                if (members[name] is JsonObject or JsonArray && !Once(3))
                    Break(members[name]!);
                else if (Once(3))
                    members.Remove(name);
                else if (Once(4))
                    members["unknown"] = Wrong();
                else
                    members[name] = Wrong();
                break;
            case JsonArray { Count: > 0 } items:
                var index = random.Next(items.Count);
                if (items[index] is JsonObject or JsonArray && !Once(3))
                    Break(items[index]!);
                else
                    items[index] = Wrong();
                break;
        }
    }

    private JsonNode? Wrong() => random.Next(7) switch
    {
        0 => null,
        1 => JsonValue.Create(Once(2)),
        2 => Raw(Any(Numbers)),
        3 => new JsonArray(1, "a", null),
        4 => new JsonObject { ["a"] = new JsonObject { ["b"] = 1 } },
        5 => Enumerable.Range(0, 80).Aggregate((JsonNode)new JsonArray(), (inner, _) => new JsonArray(inner)),
        _ => JsonValue.Create(Any(Texts)),
    };

    private static JsonNode? Raw(string json) => JsonNode.Parse(json);
}
