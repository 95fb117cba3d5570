using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace StripeMeter.Gateway.OpenApi;

/// <summary>Documents what every service answers, which is mapped without the metadata of the API.</summary>
internal sealed class ProbePaths : IOpenApiDocumentTransformer
{
    public Task TransformAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Paths["/health/live"] = Path("GetLiveness", "That the process runs", "application/json", ("200", "It runs."));
        document.Paths["/health/ready"] = Path(
            "GetReadiness", "Whether everything the API needs answers now", "application/json",
            ("200", "It does."), ("503", "It does not; `checks` names what does not answer."));
        document.Paths["/metrics"] = Path("GetMetrics", "Metrics in Prometheus' text format", "text/plain", ("200", "The metrics."));
        return Task.CompletedTask;
    }

    private static OpenApiPathItem Path(
        string operation, string summary, string contentType, params (string Status, string Description)[] answers)
    {
        var responses = new OpenApiResponses();
        foreach (var (status, description) in answers)
        {
            responses[status] = new OpenApiResponse
            {
                Description = description,
                Content = new Dictionary<string, OpenApiMediaType> { [contentType] = new() },
            };
        }

        return new OpenApiPathItem
        {
            Operations = new Dictionary<HttpMethod, OpenApiOperation>
            {
                [HttpMethod.Get] = new() { OperationId = operation, Summary = summary, Responses = responses },
            },
        };
    }
}
