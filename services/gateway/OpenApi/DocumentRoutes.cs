using Microsoft.OpenApi;
using Scalar.AspNetCore;
using StripeMeter.Gateway.Access;

namespace StripeMeter.Gateway.OpenApi;

/// <summary>The OpenAPI document at <c>/openapi/v1.json</c> and the page that shows it at <c>/docs</c>.</summary>
internal static class DocumentRoutes
{
    private const string DocumentPath = "/openapi/{documentName}.json";

    public static void AddDocument(this IServiceCollection services) => services.AddOpenApi(options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info.Title = "StripeMeter";
            document.Info.Version = "v1";
            document.Info.Description =
                "Usage metering for people who bill through Stripe. Numbers are exact decimals: read them as decimals, not as doubles.";
            document.Servers = null;
            return Task.CompletedTask;
        });
        options.AddDocumentTransformer<ProbePaths>();
        options.AddDocumentTransformer<AccessTransformer>();
        options.AddDocumentTransformer<ProblemTransformer>();
        options.AddOperationTransformer<ParameterTransformer>();
        options.AddOperationTransformer<AnswerTransformer>();
        options.AddOperationTransformer<AccessTransformer>();
        options.AddOperationTransformer<ProblemTransformer>();
        options.AddSchemaTransformer<ShapeTransformer>();
    });

    public static void MapDocument(this IEndpointRouteBuilder routes)
    {
        routes.MapOpenApi(DocumentPath).Open();
        routes.MapGet("/docs/json", () => Results.Redirect("/openapi/v1.json")).ExcludeFromDescription().Open();

        // The page and its script are served from here: it works without the internet, and tells nobody that it is read.
        routes.MapScalarApiReference("/docs", options => options
            .WithTitle("StripeMeter API")
            .WithOpenApiRoutePattern(DocumentPath)
            .DisableDefaultFonts()
            .DisableTelemetry()
            .DisableAgent()
            .DisableMcp()).Open();
    }
}
