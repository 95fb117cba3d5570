using Microsoft.AspNetCore.Http.HttpResults;
using StripeMeter.Defaults.Access;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Identity;
using StripeMeter.V1;
using SimulationCalls = StripeMeter.V1.SimulationService.SimulationServiceClient;

namespace StripeMeter.Gateway.Simulations;

/// <summary>Runs of several scenarios, started together.</summary>
internal static class BatchEndpoints
{
    private const string Path = "/v1/simulations/batch";
    private const string Tag = "Simulations";
    private static readonly HashSet<string> Members = ["tenantId", "name", "description", "scenarioIds"];

    public static void MapBatches(this IEndpointRouteBuilder routes)
    {
        routes.MapPost(Path, StartAsync).Describe(Tag, "StartBatch", "Has several scenarios computed; GetBatch says what came of them")
            .Allows(AccessKind.Change, Scopes.SimulationWrite)
            .Takes<BatchRequest>();
        routes.MapGet(Path + "/{id}", GetAsync).Describe(Tag, "GetBatch", "One batch, and how its runs stand", CommonParameters.Tenant)
            .Allows(AccessKind.Read, Scopes.SimulationRead)
            .Refuses(StatusCodes.Status404NotFound);
    }

    private static async Task<Accepted<BatchStarted>> StartAsync(HttpContext context, SimulationCalls simulations, GatewayOptions options)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, Members).ConfigureAwait(false);
        var request = new StartBatchRequest
        {
            TenantId = body.Text("tenantId", required: true) ?? "",
            Name = body.Text("name", required: true) ?? "",
            Description = body.Text("description") ?? "",
            ScenarioIds = { body.Texts("scenarioIds") },
        };
        body.Check();
        var batch = (await simulations.StartBatchAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false)).Batch;
        return TypedResults.Accepted($"{Path}/{batch.Id}", new BatchStarted(batch.Id, batch.RunIds.Count, "The runs will be computed soon."));
    }

    private static async Task<BatchAnswer> GetAsync(string id, HttpContext context, SimulationCalls simulations)
    {
        var query = new QueryReader(context);
        var request = new GetBatchRequest { TenantId = query.Text(CommonParameters.Tenant), Id = id };
        query.Check();
        return SimulationAnswers.Of(await simulations.GetBatchAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false));
    }
}
