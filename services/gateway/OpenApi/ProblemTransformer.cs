using System.Collections.Frozen;
using System.Text.Json;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using StripeMeter.Gateway.Errors;
using StripeMeter.Gateway.Requests;

namespace StripeMeter.Gateway.OpenApi;

/// <summary>Documents each kind of refusal once, with an example, and has the operations refer to it.</summary>
internal sealed class ProblemTransformer : IOpenApiDocumentTransformer, IOpenApiOperationTransformer
{
    private const string Otherwise = "default";
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);
    private static readonly JsonSerializerOptions Options = OptionsOfAnswers();

    private static readonly FrozenDictionary<string, Refusal> ByStatus = new Dictionary<string, Refusal>
    {
        ["400"] = new("InvalidRequest", "The request breaks a rule and changed nothing; `errors` says which fields, and why.",
            Problem.Invalid("limit", "must be a whole number from 1 to 100")),
        ["401"] = new("Unauthenticated", "No key, or one that is no good.", Problem.Unauthenticated("Missing API key")),
        ["403"] = new("Forbidden", "The key may not do this, or is another tenant's.", Problem.Forbidden("Require one of: project:read,usage:read")),
        ["404"] = new("NotFound", "The tenant has nothing of this name.", Problem.NotFound("The mapping 'map_1' does not exist.")),
        ["409"] = new("Conflict", "It clashes with what exists.", Problem.Conflict("A mapping of this metric onto this meter exists already.")),
        ["413"] = new("PayloadTooLarge", "The body is larger than is taken.", Problem.TooLarge(1_048_576)),
        ["415"] = new("UnsupportedMediaType", "The body is of another content type.", Problem.UnsupportedMediaType("text/plain")),
        ["422"] = new("FailedPrecondition", "It cannot be met as things stand.", Problem.Unprocessable("The price is not metered.")),
        ["429"] = new("TooManyRequests", "The limit of the key or the tenant is used up.", Problem.TooMany("Rate limit exceeded", RetryAfter)),
        ["503"] = new("Unavailable", "Not available now. Nothing is lost; sending it again is safe.", Problem.Overloaded("A service is not available.", RetryAfter)),
        [Otherwise] = new("UnexpectedProblem", "Any other failure: of a service behind the gateway, or of the gateway itself.",
            Problem.OfStatus(502, "A service failed", "A service behind the gateway failed; it was logged.")),
    }.ToFrozenDictionary();

    public async Task TransformAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        var schema = await context.GetOrCreateSchemaAsync(typeof(ProblemDocument), null, cancellationToken).ConfigureAwait(false);
        document.AddComponent(nameof(ProblemDocument), schema);
        foreach (var refusal in ByStatus.Values)
            document.AddComponent(refusal.Name, ResponseOf(refusal, document));
    }

    public Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var documented = operation.Responses ?? [];
        operation.Responses = [];
        foreach (var status in documented.Keys.Append(Otherwise).Order(StringComparer.Ordinal))
        {
            operation.Responses[status] = ByStatus.TryGetValue(status, out var refusal)
                ? new OpenApiResponseReference(refusal.Name, context.Document) : documented[status];
        }

        return Task.CompletedTask;
    }

    private static OpenApiResponse ResponseOf(Refusal refusal, OpenApiDocument document) => new()
    {
        Description = refusal.Description,
        Headers = refusal.Example.RetryAfter is null ? null : new Dictionary<string, IOpenApiHeader>
        {
            ["Retry-After"] = new OpenApiHeader
            {
                Description = "Seconds after which to try again.", Schema = new OpenApiSchema { Type = JsonSchemaType.Integer, Minimum = "1" },
            },
        },
        Content = new Dictionary<string, OpenApiMediaType>
        {
            [ProblemWriter.ContentType] = new()
            {
                Schema = new OpenApiSchemaReference(nameof(ProblemDocument), document),
                Example = JsonSerializer.SerializeToNode(DocumentOf(refusal.Example), Options),
            },
        },
    };

    private static ProblemDocument DocumentOf(Problem problem) => new(
        problem.Type, problem.Title, problem.Status, problem.Detail, "/v1/…", "req-1", problem.Error, problem.Detail,
        problem.Errors.Count == 0 ? null : [.. problem.Errors.Select(error => new ProblemDocumentError(error.Index, error.ToString(), error.Field, error.Reason))]);

    private static JsonSerializerOptions OptionsOfAnswers()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web);
        Json.Configure(options);
        return options;
    }

    /// <summary>A kind of refusal.</summary>
    private sealed record Refusal(string Name, string Description, Problem Example);
}
