using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace StripeMeter.Gateway.OpenApi;

/// <summary>Documents what every service answers, which is mapped without the metadata of the API.</summary>
internal sealed class ProbePaths : IOpenApiDocumentTransformer
{
    public Task TransformAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        var live = Answer("application/json", Object(("status", Text())), new JsonObject { ["status"] = "alive" });
        var check = Object(("ok", new() { Type = JsonSchemaType.Boolean }), ("description", Text(JsonSchemaType.Null)));
        var ready = Answer(
            "application/json",
            Object(("status", Text()), ("version", Text()), ("checks", new() { Type = JsonSchemaType.Object, AdditionalProperties = check })),
            JsonNode.Parse("""{"status":"healthy","version":"1.0.0","checks":{"sidecar":{"ok":true,"description":null}}}""")!);
        document.Paths["/health/live"] = Path("GetLiveness", "That the process runs", ("200", "It runs.", live));
        document.Paths["/health/ready"] = Path(
            "GetReadiness", "Whether everything the API needs answers now",
            ("200", "It does.", ready), ("503", "It does not; `checks` names what does not answer.", ready));
        document.Paths["/metrics"] = Path(
            "GetMetrics", "Metrics in Prometheus' text format", ("200", "The metrics.", Answer("text/plain", Text(), "# TYPE target_info gauge")));
        return Task.CompletedTask;
    }

    private static OpenApiSchema Text(JsonSchemaType or = 0) => new() { Type = JsonSchemaType.String | or };

    private static OpenApiSchema Object(params (string Name, OpenApiSchema Schema)[] members) => new()
    {
        Type = JsonSchemaType.Object,
        Properties = members.ToDictionary(member => member.Name, IOpenApiSchema (member) => member.Schema),
        Required = members.Select(member => member.Name).ToHashSet(),
    };

    private static Dictionary<string, OpenApiMediaType> Answer(string contentType, OpenApiSchema schema, JsonNode example) =>
        new() { [contentType] = new() { Schema = schema, Example = example } };

    private static OpenApiPathItem Path(
        string operation, string summary, params (string Status, string Description, Dictionary<string, OpenApiMediaType> Content)[] answers)
    {
        var responses = new OpenApiResponses();
        foreach (var (status, description, content) in answers)
            responses[status] = new OpenApiResponse { Description = description, Content = content };
        return new OpenApiPathItem
        {
            Operations = new Dictionary<HttpMethod, OpenApiOperation>
            {
                [HttpMethod.Get] = new()
                {
                    OperationId = operation, Summary = summary, Responses = responses,
                    Tags = new HashSet<OpenApiTagReference> { new("Health") },
                },
            },
        };
    }
}
