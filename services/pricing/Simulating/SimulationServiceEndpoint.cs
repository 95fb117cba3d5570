using Grpc.Core;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Scenarios;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Pricing.Comparing;
using StripeMeter.V1;

namespace StripeMeter.Pricing.Simulating;

/// <summary>The gRPC face of simulated invoices, scenarios and their runs.</summary>
internal sealed class SimulationServiceEndpoint(
    IMeterStore store, RunWorker worker, PriceComparisons comparisons, SimulationOptions options, TimeProvider clock)
    : SimulationService.SimulationServiceBase
{
    private const string DocumentField = "document_json";
    private const string ScenarioField = "scenario_json";
    private const string MetadataField = "metadata_json";
    private const int DescriptionLength = 1_000;
    private const int MetadataLength = 4_096;
    private const int BatchScenarios = 100;

    [Access(AccessKind.Read, Scopes.SimulationRead)]
    public override Task<SimulateInvoiceResponse> SimulateInvoice(SimulateInvoiceRequest request, ServerCallContext context)
    {
        SimulationFields.Tenant(request.TenantId);
        var document = SimulationFields.Document(DocumentField, request.DocumentJson);
        try
        {
            var scenario = ScenarioReader.ReadUnnamed(document);
            var response = new SimulateInvoiceResponse();
            foreach (var invoice in ScenarioRunner.Invoices(scenario, request.SplitCurrencies))
                response.Invoices.Add(WireInvoices.ToWire(invoice, ScenarioText.NotesOf(scenario, invoice)));
            return Task.FromResult(response);
        }
        catch (PricingException refusal)
        {
            throw SimulationFields.Refusal(DocumentField, refusal);
        }
    }

    [Access(AccessKind.Read, Scopes.SimulationRead)]
    public override async Task ComparePrices(
        ComparePricesRequest request, IServerStreamWriter<ComparePricesResponse> responseStream, ServerCallContext context)
    {
        var running = await comparisons.StartAsync(request, context.CancellationToken).ConfigureAwait(false);
        try
        {
            await foreach (var part in WireComparisons.RunAsync(running, request.SummaryOnly).WithCancellation(context.CancellationToken).ConfigureAwait(false))
                await responseStream.WriteAsync(part, context.CancellationToken).ConfigureAwait(false);
        }
        catch (PricingException problem)
        {
            throw RpcErrors.FailedPrecondition("UNPRICEABLE", problem.Message);
        }
    }

    [Access(AccessKind.Change, Scopes.SimulationWrite)]
    public override async Task<CreateScenarioResponse> CreateScenario(CreateScenarioRequest request, ServerCallContext context) =>
        new() { Scenario = await ScenariosOf(request.TenantId).CreateAsync(request.DocumentJson, context.CancellationToken).ConfigureAwait(false) };

    [Access(AccessKind.Read, Scopes.SimulationRead)]
    public override async Task<GetScenarioResponse> GetScenario(GetScenarioRequest request, ServerCallContext context) =>
        new() { Scenario = await ScenariosOf(request.TenantId).GetAsync(request.Id, context.CancellationToken).ConfigureAwait(false) };

    [Access(AccessKind.Read, Scopes.SimulationRead)]
    public override async Task<ListScenariosResponse> ListScenarios(ListScenariosRequest request, ServerCallContext context)
    {
        var page = await ScenariosOf(request.TenantId).ListAsync(request, context.CancellationToken).ConfigureAwait(false);
        return new ListScenariosResponse
        {
            Scenarios = { page.Items }, TotalCount = page.Total,
            NextPageToken = page.HasMore ? PageToken.Write(ScenarioPlace.Of(page.Items[^1], request.Sort)) : "",
        };
    }

    [Access(AccessKind.Change, Scopes.SimulationWrite)]
    public override async Task<UpdateScenarioResponse> UpdateScenario(UpdateScenarioRequest request, ServerCallContext context) =>
        new() { Scenario = await ScenariosOf(request.TenantId).UpdateAsync(request, context.CancellationToken).ConfigureAwait(false) };

    [Access(AccessKind.Change, Scopes.SimulationWrite)]
    public override async Task<DeleteScenarioResponse> DeleteScenario(DeleteScenarioRequest request, ServerCallContext context)
    {
        await ScenariosOf(request.TenantId).DeleteAsync(request.Id, context.CancellationToken).ConfigureAwait(false);
        return new DeleteScenarioResponse();
    }

    [Access(AccessKind.Change, Scopes.SimulationWrite)]
    public override async Task<StartRunResponse> StartRun(StartRunRequest request, ServerCallContext context)
    {
        var tenant = SimulationFields.Tenant(request.TenantId);
        var draft = await DraftAsync(request, context.CancellationToken).ConfigureAwait(false);
        var run = await RunsOf(tenant).StartAsync(draft, context.CancellationToken).ConfigureAwait(false);
        worker.Offer(tenant, run.Id);
        return new StartRunResponse { Run = run };
    }

    [Access(AccessKind.Read, Scopes.SimulationRead)]
    public override async Task<GetRunResponse> GetRun(GetRunRequest request, ServerCallContext context)
    {
        var runs = RunsOf(SimulationFields.Tenant(request.TenantId));
        return new GetRunResponse { Run = await runs.GetAsync(request.Id, context.CancellationToken).ConfigureAwait(false) };
    }

    [Access(AccessKind.Read, Scopes.SimulationRead)]
    public override async Task<ListRunsResponse> ListRuns(ListRunsRequest request, ServerCallContext context)
    {
        var runs = RunsOf(SimulationFields.Tenant(request.TenantId));
        var page = await runs.ListAsync(request, context.CancellationToken).ConfigureAwait(false);
        return new ListRunsResponse
        {
            Runs = { page.Items }, TotalCount = page.Total, NextPageToken = page.HasMore ? PageToken.Write(page.Items[^1].Id) : "",
        };
    }

    [Access(AccessKind.Change, Scopes.SimulationWrite)]
    public override async Task<StartBatchResponse> StartBatch(StartBatchRequest request, ServerCallContext context)
    {
        var tenant = SimulationFields.Tenant(request.TenantId);
        if (request.Name.Length == 0)
            throw RpcErrors.Invalid("name", "is required");
        if (request.ScenarioIds.Count is 0 or > BatchScenarios)
            throw RpcErrors.Invalid("scenario_ids", $"must be 1 to {BatchScenarios}");
        var draft = new SimulationBatch
        {
            Name = SimulationFields.Text("name", request.Name, SimulationFields.NameLength),
            Description = SimulationFields.Text("description", request.Description, DescriptionLength), ScenarioIds = { request.ScenarioIds },
        };
        var runs = new List<SimulationRun>();
        foreach (var (index, id) in request.ScenarioIds.Index())
        {
            var scenario = await ScenariosOf(request.TenantId).FindKeptAsync(id, context.CancellationToken).ConfigureAwait(false);
            if (scenario is not { Active: true })
                throw RpcErrors.Invalid($"scenario_ids[{index}]", scenario is null ? $"names no scenario: '{id}'" : $"names a deleted scenario: '{id}'");
            runs.Add(new SimulationRun { ScenarioId = id, Name = scenario.Name, Type = RunType.Manual, DocumentJson = scenario.DocumentJson });
        }

        var batch = await RunsOf(tenant).StartBatchAsync(draft, runs, context.CancellationToken).ConfigureAwait(false);
        foreach (var run in runs)
            worker.Offer(tenant, run.Id);
        return new StartBatchResponse { Batch = batch };
    }

    [Access(AccessKind.Read, Scopes.SimulationRead)]
    public override async Task<GetBatchResponse> GetBatch(GetBatchRequest request, ServerCallContext context)
    {
        var (batch, runs) = await RunsOf(SimulationFields.Tenant(request.TenantId)).GetBatchAsync(request.Id, context.CancellationToken).ConfigureAwait(false);
        return new GetBatchResponse { Batch = batch, Runs = { runs } };
    }

    private async Task<SimulationRun> DraftAsync(StartRunRequest request, CancellationToken cancellation)
    {
        if (request.ScenarioId.Length > 0 == request.ScenarioJson.Length > 0)
            throw RpcErrors.Invalid("scenario_id", "or scenario is required, and not both");
        if (request.MetadataJson.Length > 0)
            SimulationFields.Document(MetadataField, request.MetadataJson, MetadataLength);
        var (name, document) = request.ScenarioId.Length > 0
            ? await KeptAsync(request, cancellation).ConfigureAwait(false)
            : (ScenarioBook.Check(ScenarioField, request.ScenarioJson).Name, request.ScenarioJson);
        return new SimulationRun
        {
            ScenarioId = request.ScenarioId,
            Name = request.Name.Length > 0 ? SimulationFields.Text("name", request.Name, SimulationFields.NameLength) : name,
            Description = SimulationFields.Text("description", request.Description, DescriptionLength),
            MetadataJson = request.MetadataJson,
            Type = request.Type == RunType.Unspecified ? RunType.Manual : request.Type,
            DocumentJson = document,
        };
    }

    private async Task<(string Name, string Document)> KeptAsync(StartRunRequest request, CancellationToken cancellation)
    {
        var scenario = await ScenariosOf(request.TenantId).GetAsync(request.ScenarioId, cancellation).ConfigureAwait(false);
        return scenario.Active
            ? (scenario.Name, scenario.DocumentJson)
            : throw RpcErrors.FailedPrecondition("SCENARIO_DELETED", $"The scenario '{scenario.Id}' is deleted.");
    }

    private ScenarioBook ScenariosOf(string tenant) => new(store.Of(SimulationFields.Tenant(tenant)), options, clock);

    private RunBook RunsOf(TenantId tenant) => new(store.Of(tenant), options, clock);
}
