using Microsoft.AspNetCore.Http.HttpResults;
using StripeMeter.Defaults.Access;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Identity;
using StripeMeter.V1;
using SimulationCalls = StripeMeter.V1.SimulationService.SimulationServiceClient;

namespace StripeMeter.Gateway.Simulations;

/// <summary>Runs of scenarios.</summary>
internal static class RunEndpoints
{
    private const string Path = "/v1/simulations/runs";
    private const string Tag = "Simulations";
    private const string Type = "runType";
    private static readonly HashSet<string> Members = ["tenantId", "scenarioId", "scenario", "name", "description", "metadata", Type];
    private static readonly TextParameter OfScenario = new("scenarioId", "Only runs of this scenario.", 255);
    private static readonly ChoiceParameter<RunStatus> WithStatus = new("status", "Only those that have come so far.", SimulationWords.Statuses);
    private static readonly ChoiceParameter<RunType> OfType = new(Type, "Only those of this kind.", SimulationWords.Types);

    public static void MapRuns(this IEndpointRouteBuilder routes)
    {
        routes.MapPost(Path, StartAsync).Describe(Tag, "StartRun", "Has a scenario computed; GetRun says what came of it")
            .Allows(AccessKind.Change, Scopes.SimulationWrite)
            .Takes<RunRequest>().Refuses(StatusCodes.Status404NotFound).Refuses(StatusCodes.Status422UnprocessableEntity);
        routes.MapGet(Path, ListAsync).Describe(
            Tag, "ListRuns", "Runs, newest first; the oldest are dropped", CommonParameters.Tenant, OfScenario, WithStatus, OfType,
            PageParameters.Limit, PageParameters.Offset, CommonParameters.Cursor)
            .Allows(AccessKind.Read, Scopes.SimulationRead);
        routes.MapGet(Path + "/{id}", GetAsync).Describe(Tag, "GetRun", "One run, and what came of it", CommonParameters.Tenant)
            .Allows(AccessKind.Read, Scopes.SimulationRead)
            .Refuses(StatusCodes.Status404NotFound);
    }

    private static async Task<Accepted<RunStarted>> StartAsync(HttpContext context, SimulationCalls simulations, GatewayOptions options)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, Members).ConfigureAwait(false);
        var request = new StartRunRequest
        {
            TenantId = body.Text("tenantId", required: true) ?? "",
            ScenarioId = body.Text("scenarioId") ?? "",
            ScenarioJson = body.Object("scenario")?.GetRawText() ?? "",
            Name = body.Text("name") ?? "",
            Description = body.Text("description") ?? "",
            MetadataJson = body.Object("metadata")?.GetRawText() ?? "",
            Type = body.Choice(Type, SimulationWords.Types),
        };
        body.Check();
        var run = (await simulations.StartRunAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false)).Run;
        return TypedResults.Accepted(
            $"{Path}/{run.Id}", new RunStarted(run.Id, SimulationWords.Of(run.Status), "The run will be computed soon."));
    }

    private static async Task<RunPage> ListAsync(HttpContext context, SimulationCalls simulations)
    {
        var query = new QueryReader(context);
        var request = new ListRunsRequest
        {
            TenantId = query.Text(CommonParameters.Tenant),
            ScenarioId = query.Read(OfScenario) ?? "",
            Status = query.Read(WithStatus),
            Type = query.Read(OfType),
            PageSize = query.Read(PageParameters.Limit),
            Offset = query.Read(PageParameters.Offset),
            PageToken = query.Text(CommonParameters.Cursor),
        };
        query.Check();
        var page = await simulations.ListRunsAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new RunPage([.. page.Runs.Select(SimulationAnswers.Of)], page.TotalCount, request.PageSize, request.Offset, page.NextPageToken.OrNull());
    }

    private static async Task<RunAnswer> GetAsync(string id, HttpContext context, SimulationCalls simulations)
    {
        var query = new QueryReader(context);
        var request = new GetRunRequest { TenantId = query.Text(CommonParameters.Tenant), Id = id };
        query.Check();
        return SimulationAnswers.Of((await simulations.GetRunAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false)).Run);
    }
}
