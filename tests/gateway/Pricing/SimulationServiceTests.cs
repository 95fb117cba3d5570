using System.Text.Json.Nodes;
using Google.Rpc;
using Grpc.Core;
using StripeMeter.Gateway.Tests.Kit;
using StripeMeter.Kits.Waiting;
using StripeMeter.V1;
using Xunit;
using SimulationCalls = StripeMeter.V1.SimulationService.SimulationServiceClient;

namespace StripeMeter.Gateway.Tests.Pricing;

/// <summary>Simulated invoices, kept scenarios and their runs, by gRPC on the real store.</summary>
public sealed class SimulationServiceTests(RunningPricing running) : IClassFixture<RunningPricing>
{
    private const string Inputs = """
        "inputs":{"customerId":"c","periodStart":"2026-01-01","periodEnd":"2026-01-31","usageItems":[{"metric":"calls","quantity":3,"price":{"currency":"usd","unit_amount_decimal":"0.5"}}]}
        """;

    private readonly string _tenant = Guid.NewGuid().ToString();

    private SimulationCalls Calls => new(running.Channel);

    [Fact]
    public async Task SimulateInvoice_EveryStep_IsExplained()
    {
        var document = "{" + Inputs.Trim().Replace("]}", "],\"discounts\":[{\"name\":\"half\",\"percent_off\":50}],\"taxRate\":100}", StringComparison.Ordinal) + "}";

        var invoice = Assert.Single((await SimulateAsync(document)).Invoices);

        Assert.Equal(("usd", "stripe", 2L, 1L, 1L, 2L), (invoice.Currency, invoice.Rounding, invoice.Subtotal, invoice.Discounts, invoice.Tax, invoice.Total));
        var part = Assert.Single(Assert.Single(invoice.Lines).Parts);
        Assert.Equal(("units", "3", "0.5", 2L), (part.Kind, part.Quantity, part.UnitAmount, part.Amount));
        Assert.Contains("rounded to 0.02", part.Explanation, StringComparison.Ordinal);
        Assert.Equal(["discount", "tax"], invoice.Steps.Select(step => step.Kind));
        Assert.All(invoice.Steps, step => Assert.NotEmpty(step.Explanation));
    }

    [Theory]
    [InlineData("", "document_json")]
    [InlineData("{", "document_json")]
    [InlineData("[]", "document_json")]
    [InlineData("{}", "document_json.inputs")]
    [InlineData("""{"inputs":{"customerId":"\ud800"}}""", "document_json")]
    [InlineData("""{"inputs":{"customerId":"a","customerId":"b"}}""", "document_json")]
    [InlineData("""{"name":"x","inputs":{"customerId":"c","periodStart":"2026-01-01","periodEnd":"2026-01-31","usageItems":[{"metric":"m","quantity":1,"price":{"currency":"usd","unit_amount":1}}]}}""", "document_json.name")]
    [InlineData("""{"inputs":{"customerId":"c","periodStart":"2026-01-01","periodEnd":"2026-01-31","usageItems":[]}}""", "document_json.inputs.usageItems")]
    [InlineData("""{"inputs":{"customerId":"c","periodStart":"2026-01-01","periodEnd":"2026-01-31","usageItems":[{"metric":"m","quantity":1,"price":{"currency":"usd","unit_amount":-1}}]}}""", "document_json.inputs.usageItems[0].price.unit_amount")]
    [InlineData("""{"inputs":{"customerId":"c","periodStart":"2026-01-01","periodEnd":"2026-01-31","taxRate":101,"usageItems":[{"metric":"m","quantity":1,"price":{"currency":"usd","unit_amount":1}}]}}""", "document_json.inputs.taxRate")]
    public async Task SimulateInvoice_BadDocument_NamesTheField(string document, string field) =>
        Assert.Equal(field, await RefusedFieldAsync(() => SimulateAsync(document)));

    [Fact]
    public async Task SimulateInvoice_SeveralCurrencies_AreRefusedOrSplit()
    {
        var document = "{" + Inputs.Trim().Replace("]}", ",{\"metric\":\"seats\",\"quantity\":1,\"price\":{\"currency\":\"jpy\",\"unit_amount\":500}}]}", StringComparison.Ordinal) + "}";

        Assert.Equal("document_json.inputs.usageItems", await RefusedFieldAsync(() => SimulateAsync(document)));
        Assert.Equal([("usd", 2L), ("jpy", 500L)], (await SimulateAsync(document, split: true)).Invoices.Select(invoice => (invoice.Currency, invoice.Total)));
    }

    [Fact]
    public async Task SimulateInvoice_OlderShape_SaysSo()
    {
        const string document = """
            {"inputs":{"customerId":"c","periodStart":"2026-01-01","periodEnd":"2026-01-31",
             "usageItems":[{"metric":"seats","quantity":0,"priceConfig":{"model":"graduated","currency":"USD","tiers":[{"upTo":null,"unitPrice":5,"flatPrice":25}]}}]}}
            """;

        var invoice = Assert.Single((await SimulateAsync(document)).Invoices);

        Assert.Equal(("classic", 0L), (invoice.Rounding, invoice.Total));
        Assert.Contains(invoice.Notes, note => note.Contains("older shape", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Scenario_FromCreationToDeletion_IsKept()
    {
        var created = await CreateAsync("one", "2");

        Assert.Equal(created, await GetAsync(created.Id));
        var changed = (await Calls.UpdateScenarioAsync(new UpdateScenarioRequest
        {
            TenantId = _tenant, Id = created.Id, DocumentJson = """{"name":"two","expected":null,"tags":["b"]}""",
        })).Scenario;
        Assert.Equal(("two", "b", created.CreateTime), (changed.Name, Assert.Single(changed.Tags), changed.CreateTime));
        Assert.Null(JsonNode.Parse(changed.DocumentJson)!["expected"]);
        Assert.NotNull(JsonNode.Parse(changed.DocumentJson)!["inputs"]);

        await Calls.DeleteScenarioAsync(new DeleteScenarioRequest { TenantId = _tenant, Id = created.Id });
        Assert.False((await GetAsync(created.Id)).Active);
        var refused = await Assert.ThrowsAsync<RpcException>(() => StartAsync(new StartRunRequest { ScenarioId = created.Id }));
        Assert.Equal(StatusCode.FailedPrecondition, refused.StatusCode);
    }

    [Fact]
    public async Task Scenario_OfAnotherTenant_DoesNotExist()
    {
        var created = await CreateAsync("mine", "2");
        var run = (await StartAsync(new StartRunRequest { ScenarioId = created.Id })).Run;

        Func<Task>[] calls =
        [
            () => Calls.GetScenarioAsync(new GetScenarioRequest { TenantId = "other", Id = created.Id }).ResponseAsync,
            () => Calls.UpdateScenarioAsync(new UpdateScenarioRequest { TenantId = "other", Id = created.Id }).ResponseAsync,
            () => Calls.DeleteScenarioAsync(new DeleteScenarioRequest { TenantId = "other", Id = created.Id }).ResponseAsync,
            () => Calls.StartRunAsync(new StartRunRequest { TenantId = "other", ScenarioId = created.Id }).ResponseAsync,
            () => Calls.GetRunAsync(new GetRunRequest { TenantId = "other", Id = run.Id }).ResponseAsync,
        ];
        foreach (var call in calls)
            Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(call)).StatusCode);
        Assert.Empty((await Calls.ListScenariosAsync(new ListScenariosRequest { TenantId = "other" })).Scenarios);
        Assert.Empty((await Calls.ListRunsAsync(new ListRunsRequest { TenantId = "other" })).Runs);
    }

    [Fact]
    public async Task ListScenarios_TagAndActive_SelectAmongSeveral()
    {
        var first = await CreateAsync("b", "2", "x", "y");
        await CreateAsync("a", "2", "y");
        await CreateAsync("c", "2");
        await Calls.DeleteScenarioAsync(new DeleteScenarioRequest { TenantId = _tenant, Id = first.Id });

        Assert.Equal("b a", await NamesAsync(new ListScenariosRequest { Tag = "y" }));
        Assert.Equal("b", await NamesAsync(new ListScenariosRequest { Tag = "x" }));
        Assert.Equal("a c", await NamesAsync(new ListScenariosRequest { Active = true }));
        Assert.Equal("c b a", await NamesAsync(new ListScenariosRequest { Sort = ScenarioSort.Name, Descending = true }));
        Assert.Equal("a c b", await NamesAsync(new ListScenariosRequest { Sort = ScenarioSort.Updated }));
        var page = await Calls.ListScenariosAsync(new ListScenariosRequest { TenantId = _tenant, PageSize = 1, Offset = 1 });
        Assert.Equal((3, "a", ""), (page.TotalCount, Assert.Single(page.Scenarios).Name, page.Scenarios[0].DocumentJson));
    }

    [Theory]
    [InlineData(ScenarioSort.Unspecified, false, "b a c")]
    [InlineData(ScenarioSort.Created, true, "c a b")]
    [InlineData(ScenarioSort.Name, false, "a b c")]
    [InlineData(ScenarioSort.Name, true, "c b a")]
    [InlineData(ScenarioSort.Updated, false, "a c b")]
    public async Task ListScenarios_PageByPage_GoesOnWhereThePageBeforeEnded(ScenarioSort sort, bool descending, string expected)
    {
        var first = await CreateAsync("b", "2");
        await CreateAsync("a", "2");
        await CreateAsync("c", "2");
        await Calls.DeleteScenarioAsync(new DeleteScenarioRequest { TenantId = _tenant, Id = first.Id });
        var names = new List<string>();
        var request = new ListScenariosRequest { TenantId = _tenant, PageSize = 1, Sort = sort, Descending = descending };
        do
        {
            var page = await Calls.ListScenariosAsync(request);
            Assert.Equal(3, page.TotalCount);
            names.Add(Assert.Single(page.Scenarios).Name);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);

        Assert.Equal(expected, string.Join(' ', names));
        var cursor = (await Calls.ListScenariosAsync(new ListScenariosRequest { TenantId = _tenant, PageSize = 1, Sort = ScenarioSort.Name })).NextPageToken;
        foreach (var token in (string[])["?", "bm9uZQ", cursor])
        {
            var other = new ListScenariosRequest { TenantId = _tenant, PageToken = token, Sort = ScenarioSort.Created };
            Assert.Equal("page_token", await RefusedFieldAsync(() => Calls.ListScenariosAsync(other).ResponseAsync));
        }
    }

    [Fact]
    public async Task ListRuns_PageByPage_GoesOnWhereThePageBeforeEnded()
    {
        var scenario = await CreateAsync("run", "2");
        var batch = (await StartBatchAsync("all", scenario.Id, scenario.Id, scenario.Id)).Batch;

        var first = await Calls.ListRunsAsync(new ListRunsRequest { TenantId = _tenant, PageSize = 2 });
        await StartAsync(new StartRunRequest { ScenarioId = scenario.Id });
        var second = await Calls.ListRunsAsync(new ListRunsRequest { TenantId = _tenant, PageSize = 2, PageToken = first.NextPageToken });

        Assert.Equal(batch.RunIds.OrderDescending(StringComparer.Ordinal), first.Runs.Concat(second.Runs).Select(run => run.Id));
        Assert.Equal((3, 4, ""), (first.TotalCount, second.TotalCount, second.NextPageToken));
    }

    [Theory]
    [InlineData("2", true)]
    [InlineData("3", false)]
    [InlineData(null, null)]
    public async Task Run_IsComputedAndCompared(string? expected, bool? passed)
    {
        var scenario = await CreateAsync("run", expected);

        var started = (await StartAsync(new StartRunRequest { ScenarioId = scenario.Id, Type = RunType.Ci, MetadataJson = """{"commit":"4f2a"}""" })).Run;
        var run = await EndedAsync(started.Id);

        Assert.Equal((RunStatus.Pending, RunStatus.Completed), (started.Status, run.Status));
        Assert.Equal(("run", 2L, passed), (run.Name, run.Invoice.Total, run.HasPassed ? run.Passed : null));
        Assert.Equal(passed == false ? 1 : 0, run.Differences.Count);
        Assert.True(run.StartTime <= run.EndTime);
        Assert.Equal(run, Assert.Single((await Calls.ListRunsAsync(new ListRunsRequest { TenantId = _tenant, Type = RunType.Ci, Status = RunStatus.Completed })).Runs));
        Assert.Empty((await Calls.ListRunsAsync(new ListRunsRequest { TenantId = _tenant, Type = RunType.Manual })).Runs);
    }

    [Fact]
    public async Task Run_OfAScenarioSentAlong_KeepsIt()
    {
        var started = (await StartAsync(new StartRunRequest { ScenarioJson = $$"""{"name":"inline",{{Inputs}}}""" })).Run;

        Assert.Equal(("inline", ""), (started.Name, started.ScenarioId));
        Assert.Equal(2, (await EndedAsync(started.Id)).Invoice.Total);
    }

    [Fact]
    public async Task Runs_ThatWaitWhenTheServiceStops_AreComputedWhenItStartsAgain()
    {
        var runs = new List<string>();
        for (var count = 0; count < 50; count++)
            runs.Add((await StartAsync(new StartRunRequest { ScenarioJson = $$"""{"name":"inline",{{Inputs}}}""" })).Run.Id);

        await running.RestartAsync();

        foreach (var id in runs)
            Assert.Equal(RunStatus.Completed, (await EndedAsync(id)).Status);
    }

    [Fact]
    public async Task Batch_HasARunForEachScenario_AlsoAfterARestart()
    {
        var (right, wrong) = (await CreateAsync("right", "2"), await CreateAsync("wrong", "3"));
        var batch = (await StartBatchAsync("all", right.Id, wrong.Id, right.Id)).Batch;
        Assert.Equal(("all", 3), (batch.Name, batch.RunIds.Distinct().Count()));

        await running.RestartAsync();

        foreach (var id in batch.RunIds)
            Assert.Equal(RunStatus.Completed, (await EndedAsync(id)).Status);
        var found = await Calls.GetBatchAsync(new GetBatchRequest { TenantId = _tenant, Id = batch.Id });
        Assert.Equal(batch, found.Batch);
        Assert.Equal([(right.Id, true), (wrong.Id, false), (right.Id, true)], found.Runs.Select(run => (run.ScenarioId, run.Passed)));
        var hidden = await Assert.ThrowsAsync<RpcException>(
            () => Calls.GetBatchAsync(new GetBatchRequest { TenantId = "other", Id = batch.Id }).ResponseAsync);
        Assert.Equal(StatusCode.NotFound, hidden.StatusCode);
    }

    [Fact]
    public async Task StartBatch_BadRequest_NamesTheField_AndStartsNothing()
    {
        var (kept, deleted) = (await CreateAsync("kept", null), await CreateAsync("deleted", null));
        await Calls.DeleteScenarioAsync(new DeleteScenarioRequest { TenantId = _tenant, Id = deleted.Id });

        Assert.Equal("scenario_ids", await RefusedFieldAsync(() => StartBatchAsync("none")));
        Assert.Equal("name", await RefusedFieldAsync(() => StartBatchAsync("", kept.Id)));
        Assert.Equal("scenario_ids[1]", await RefusedFieldAsync(() => StartBatchAsync("missing", kept.Id, "0198a5b2-7c3d-7e4f-8a1b-2c3d4e5f6a7b")));
        Assert.Equal("scenario_ids[0]", await RefusedFieldAsync(() => StartBatchAsync("deleted", deleted.Id)));
        Assert.Equal(0, (await Calls.ListRunsAsync(new ListRunsRequest { TenantId = _tenant, ScenarioId = kept.Id })).TotalCount);
    }

    private async Task<StartBatchResponse> StartBatchAsync(string name, params string[] scenarios) =>
        await Calls.StartBatchAsync(new StartBatchRequest { TenantId = _tenant, Name = name, ScenarioIds = { scenarios } });

    [Theory]
    [InlineData("", "", "", "scenario_id")]
    [InlineData("a", "{}", "", "scenario_id")]
    [InlineData("", "{}", "", "scenario_json.inputs")]
    [InlineData("", "{}", "[]", "metadata_json")]
    public async Task StartRun_BadRequest_NamesTheField(string scenario, string json, string metadata, string field) =>
        Assert.Equal(field, await RefusedFieldAsync(() => StartAsync(
            new StartRunRequest { ScenarioId = scenario, ScenarioJson = json, MetadataJson = metadata })));

    private Task<SimulateInvoiceResponse> SimulateAsync(string document, bool split = false) => Calls.SimulateInvoiceAsync(
        new SimulateInvoiceRequest { TenantId = _tenant, DocumentJson = document, SplitCurrencies = split }).ResponseAsync;

    private async Task<SimulationScenario> CreateAsync(string name, string? expected, params string[] tags)
    {
        var expectation = expected is null ? "" : $$""","expected":{"total":{{expected}}}""";
        var document = $$"""{"name":"{{name}}","tags":[{{string.Join(',', tags.Select(tag => $"\"{tag}\""))}}],{{Inputs.Trim()}}{{expectation}}}""";
        return (await Calls.CreateScenarioAsync(new CreateScenarioRequest { TenantId = _tenant, DocumentJson = document })).Scenario;
    }

    private async Task<SimulationScenario> GetAsync(string id) =>
        (await Calls.GetScenarioAsync(new GetScenarioRequest { TenantId = _tenant, Id = id })).Scenario;

    private async Task<string> NamesAsync(ListScenariosRequest request)
    {
        request.TenantId = _tenant;
        return string.Join(' ', (await Calls.ListScenariosAsync(request)).Scenarios.Select(scenario => scenario.Name));
    }

    private Task<StartRunResponse> StartAsync(StartRunRequest request)
    {
        request.TenantId = _tenant;
        return Calls.StartRunAsync(request).ResponseAsync;
    }

    private async Task<SimulationRun> EndedAsync(string id)
    {
        var run = new SimulationRun();
        await Patience.UntilAsync(async () =>
        {
            run = (await Calls.GetRunAsync(new GetRunRequest { TenantId = _tenant, Id = id })).Run;
            return run.Status is RunStatus.Completed or RunStatus.Failed;
        }, "the run ends");
        return run;
    }

    private static async Task<string> RefusedFieldAsync(Func<Task> call)
    {
        var error = await Assert.ThrowsAsync<RpcException>(call);
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        return error.GetRpcStatus()!.GetDetail<BadRequest>()!.FieldViolations[0].Field;
    }
}
