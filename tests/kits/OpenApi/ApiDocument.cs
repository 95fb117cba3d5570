using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace StripeMeter.Kits.OpenApi;

/// <summary>An OpenAPI document: its operations, and which of them a request asks for.</summary>
public sealed class ApiDocument
{
    private readonly JsonNode _document;

    public ApiDocument(string json)
    {
        _document = JsonNode.Parse(json)!;
        Operations =
        [
            .. _document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject()
                .Select(method => new ApiOperation(method.Key.ToUpperInvariant(), path.Key, method.Value!))),
        ];
    }

    public IReadOnlyList<ApiOperation> Operations { get; }

    /// <summary>What a request asks for: of several paths that fit the one with the fewest parameters, as routing does.</summary>
    public ApiOperation? Match(string method, string path) => Operations
        .Where(operation => operation.Method == method && operation.Fits(path))
        .MinBy(operation => operation.Path.Count(character => character == '{'));

    /// <summary>The documented response of a status; null where there is none but the one for everything else.</summary>
    public JsonNode? Response(ApiOperation operation, int status)
    {
        ArgumentNullException.ThrowIfNull(operation);
        return Resolve(operation.Description["responses"]![FormattableString.Invariant($"{status}")]);
    }

    /// <summary>What a reference stands for.</summary>
    public JsonNode? Resolve(JsonNode? node)
    {
        while ((node as JsonObject)?["$ref"] is { } reference)
            node = ((string)reference!).Split('/').Skip(1).Aggregate(_document, (within, name) => within?[name]!);
        return node;
    }

    /// <summary>Examples of a body: its own, those of its schema or schemas, or one of the entries of its list.</summary>
    public IEnumerable<JsonNode> Examples(JsonNode media)
    {
        ArgumentNullException.ThrowIfNull(media);
        return media["example"] is { } own ? [own] : ExamplesOf(media["schema"]);
    }

    private IEnumerable<JsonNode> ExamplesOf(JsonNode? schema) => Resolve(schema) switch
    {
        { } one when one["examples"] is JsonArray examples => examples!,
        { } list when list["items"] is { } items => ExamplesOf(items).Select(example => new JsonArray(example.DeepClone())),
        { } several when several["oneOf"] is JsonArray choices => choices.SelectMany(ExamplesOf),
        _ => [],
    };

    /// <summary>What in a value breaks a schema, as sentences with a path. Members that an object's schema does not name break it.</summary>
    public IEnumerable<string> Breaks(JsonNode? value, JsonNode? schema, string path = "$") => new SchemaCheck(this).Breaks(value, schema, path);
}

/// <summary>An operation of an OpenAPI document.</summary>
/// <param name="Method">Such as GET.</param>
/// <param name="Path">With its parameters in braces.</param>
/// <param name="Description">What the document says of it.</param>
public sealed partial record ApiOperation(string Method, string Path, JsonNode Description)
{
    private readonly Regex _path = new($"^{Parameter().Replace(Regex.Escape(Path).Replace("}", "\\}", StringComparison.Ordinal), "[^/]+")}$");

    public bool Fits(string path) => _path.IsMatch(path);

    public override string ToString() => $"{Method} {Path}";

    [GeneratedRegex(@"\\\{[^}]*\\\}")]
    private static partial Regex Parameter();
}
