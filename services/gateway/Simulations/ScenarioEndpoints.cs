using Microsoft.AspNetCore.Http.HttpResults;
using StripeMeter.Defaults.Access;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Identity;
using StripeMeter.V1;
using SimulationCalls = StripeMeter.V1.SimulationService.SimulationServiceClient;

namespace StripeMeter.Gateway.Simulations;

/// <summary>Simulated invoices, and kept scenarios.</summary>
internal static class ScenarioEndpoints
{
    private const string Path = "/v1/simulations/scenarios";
    private const string PathOfOne = Path + "/{id}";
    private const string Tag = "Simulations";
    private const string Active = "active";
    private const string SplitCurrencies = "splitCurrencies";
    private static readonly HashSet<string> InvoiceMembers = ["tenantId", "inputs", "rounding", SplitCurrencies];
    private static readonly HashSet<string> ScenarioMembers =
        ["tenantId", "name", "description", "version", "tags", "rounding", "model", "inputs", "expected", "tolerances"];

    private static readonly HashSet<string> ChangedMembers = [.. ScenarioMembers, Active];
    private static readonly FlagParameter OnlyActive = new(Active, "Only active ones, or only deleted ones.");
    private static readonly TextParameter WithTag = new("tag", "Only scenarios that have this tag among theirs.", 255);

    private static readonly ChoiceParameter<ScenarioSort> SortBy = new(
        "sortBy", "The order.", [("createdAt", ScenarioSort.Created), ("updatedAt", ScenarioSort.Updated), ("name", ScenarioSort.Name)])
    {
        DefaultWord = "createdAt",
    };

    private static readonly ChoiceParameter<bool> SortOrder = new("sortOrder", "Its direction.", [("asc", false), ("desc", true)])
    {
        Default = true,
        DefaultWord = "desc",
    };

    public static void MapScenarios(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/simulations/invoice", SimulateAsync)
            .Describe(Tag, "SimulateInvoice", "The invoice of some usage by some prices, with every step. Nothing is kept")
            .Allows(AccessKind.Read, Scopes.SimulationRead)
            .Takes<InvoiceRequest>();
        routes.MapGet(Path, ListAsync).Describe(
            Tag, "ListScenarios", "Kept scenarios, without what they compute", CommonParameters.Tenant, OnlyActive, WithTag, SortBy,
            SortOrder, PageParameters.Limit, PageParameters.Offset, CommonParameters.Cursor)
            .Allows(AccessKind.Read, Scopes.SimulationRead);
        routes.MapPost(Path, CreateAsync).Describe(Tag, "CreateScenario", "Keeps a scenario that can be computed")
            .Allows(AccessKind.Change, Scopes.SimulationWrite)
            .Takes<ScenarioRequest>().Refuses(StatusCodes.Status422UnprocessableEntity);
        routes.MapGet(PathOfOne, GetAsync).Describe(Tag, "GetScenario", "One scenario, also a deleted one", CommonParameters.Tenant)
            .Allows(AccessKind.Read, Scopes.SimulationRead)
            .Refuses(StatusCodes.Status404NotFound);
        routes.MapPut(PathOfOne, UpdateAsync).Describe(Tag, "UpdateScenario", "Replaces the members of a scenario that are sent; null takes one away")
            .Allows(AccessKind.Change, Scopes.SimulationWrite)
            .Takes<ScenarioRequest>().Refuses(StatusCodes.Status404NotFound);
        routes.MapDelete(PathOfOne, DeleteAsync)
            .Describe(Tag, "DeleteScenario", "Makes a scenario inactive. It stays, for the runs that name it", CommonParameters.Tenant)
            .Allows(AccessKind.Change, Scopes.SimulationWrite)
            .Refuses(StatusCodes.Status404NotFound);
    }

    private static async Task<InvoiceList> SimulateAsync(HttpContext context, SimulationCalls simulations, GatewayOptions options)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, InvoiceMembers).ConfigureAwait(false);
        var request = new SimulateInvoiceRequest
        {
            TenantId = body.Text("tenantId", required: true) ?? "",
            SplitCurrencies = body.Flag(SplitCurrencies) ?? false,
            DocumentJson = body.TextWithout("tenantId", SplitCurrencies),
        };
        body.Check();
        var simulated = await simulations.SimulateInvoiceAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new InvoiceList([.. simulated.Invoices.Select(SimulationAnswers.Of)]);
    }

    private static async Task<ScenarioPage> ListAsync(HttpContext context, SimulationCalls simulations)
    {
        var query = new QueryReader(context);
        var request = new ListScenariosRequest
        {
            TenantId = query.Text(CommonParameters.Tenant),
            Tag = query.Read(WithTag) ?? "",
            Sort = query.Read(SortBy),
            Descending = query.Read(SortOrder),
            PageSize = query.Read(PageParameters.Limit),
            Offset = query.Read(PageParameters.Offset),
            PageToken = query.Text(CommonParameters.Cursor),
        };
        if (query.Read(OnlyActive) is { } active)
            request.Active = active;
        query.Check();
        var page = await simulations.ListScenariosAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new ScenarioPage([.. page.Scenarios.Select(SimulationAnswers.Of)], page.TotalCount, request.PageSize, request.Offset, page.NextPageToken.OrNull());
    }

    private static async Task<Created<ScenarioCreated>> CreateAsync(HttpContext context, SimulationCalls simulations, GatewayOptions options)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, ScenarioMembers).ConfigureAwait(false);
        var request = new CreateScenarioRequest
        {
            TenantId = body.Text("tenantId", required: true) ?? "",
            DocumentJson = body.TextWithout("tenantId"),
        };
        body.Check();
        var kept = (await simulations.CreateScenarioAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false)).Scenario;
        return TypedResults.Created($"{Path}/{kept.Id}", new ScenarioCreated(kept.Id, kept.Name, RestTime.Write(kept.CreateTime)));
    }

    private static async Task<ScenarioAnswer> GetAsync(string id, HttpContext context, SimulationCalls simulations)
    {
        var request = new GetScenarioRequest { TenantId = TenantOf(context), Id = id };
        return SimulationAnswers.Of(
            (await simulations.GetScenarioAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false)).Scenario);
    }

    private static async Task<ScenarioUpdated> UpdateAsync(string id, HttpContext context, SimulationCalls simulations, GatewayOptions options)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, ChangedMembers).ConfigureAwait(false);
        var request = new UpdateScenarioRequest
        {
            TenantId = body.Text("tenantId", required: true) ?? "",
            Id = id,
            DocumentJson = body.TextWithout("tenantId", Active),
        };
        if (body.Flag(Active) is { } active)
            request.Active = active;
        body.Check();
        var kept = (await simulations.UpdateScenarioAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false)).Scenario;
        return new ScenarioUpdated(kept.Id, kept.Name, RestTime.Write(kept.UpdateTime));
    }

    private static async Task<NoContent> DeleteAsync(string id, HttpContext context, SimulationCalls simulations)
    {
        var request = new DeleteScenarioRequest { TenantId = TenantOf(context), Id = id };
        await simulations.DeleteScenarioAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return TypedResults.NoContent();
    }

    private static string TenantOf(HttpContext context)
    {
        var query = new QueryReader(context);
        var tenant = query.Text(CommonParameters.Tenant);
        query.Check();
        return tenant;
    }
}
