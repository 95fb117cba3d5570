using System.Text.Json.Nodes;

namespace StripeMeter.EndToEnd.Tests.Fuzzing;

/// <summary>An operation as the OpenAPI document describes it.</summary>
internal sealed class ApiOperation
{
    private readonly JsonNode _document;
    private readonly JsonArray _parameters;

    private ApiOperation(JsonNode document, string path, string method, JsonNode description)
    {
        _document = document;
        (Path, Method) = (path, new HttpMethod(method.ToUpperInvariant()));
        Name = (string?)description["operationId"] ?? $"{method} {path}";
        _parameters = description["parameters"]?.AsArray() ?? [];
        Bodies = description["requestBody"]?["content"]?.AsObject()
            .Select(content => (content.Key, content.Value?["schema"])).ToArray() ?? [];
    }

    public string Name { get; }

    public string Path { get; }

    public HttpMethod Method { get; }

    /// <summary>The bodies it takes, by content type.</summary>
    public IReadOnlyList<(string ContentType, JsonNode? Schema)> Bodies { get; }

    public bool Changes => Method != HttpMethod.Get;

    /// <summary>Parameters of a place (path, query, header), with their schemas.</summary>
    public IEnumerable<(string Name, bool Required, JsonNode? Schema)> Parameters(string place) =>
        _parameters.Where(parameter => (string?)parameter!["in"] == place)
            .Select(parameter => ((string)parameter!["name"]!, (bool?)parameter["required"] ?? false, parameter["schema"]));

    /// <summary>What a schema stands for, wherever it is written.</summary>
    public JsonNode? Resolve(JsonNode? schema)
    {
        while (schema is JsonObject && (string?)schema["$ref"] is { } reference)
            schema = reference.Split('/').Skip(1).Aggregate(_document, (node, name) => node?[name]!);
        return schema;
    }

    /// <summary>Every operation of the API itself: not the probes, which all services answer.</summary>
    public static IReadOnlyList<ApiOperation> All(JsonNode document) =>
        [.. document["paths"]!.AsObject()
            .Where(path => path.Key.StartsWith("/v1/", StringComparison.Ordinal))
            .SelectMany(path => path.Value!.AsObject().Select(method => new ApiOperation(document, path.Key, method.Key, method.Value!)))];
}
