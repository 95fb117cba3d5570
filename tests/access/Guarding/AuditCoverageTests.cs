using System.Net.Http.Headers;
using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using StripeMeter.Access.Tests.Kit;
using StripeMeter.Defaults.Access;
using StripeMeter.Kits.Waiting;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.Access.Tests.Guarding;

/// <summary>Every route and method that changes something, found by reflection: its beginning and its outcome stand in the audit log.</summary>
public sealed class AuditCoverageTests(PublishingSystem system) : IClassFixture<PublishingSystem>
{
    /// <summary>Routes that are sent a body and change nothing, or only add events. What is here was thought about.</summary>
    private static readonly HashSet<string> Unrecorded =
    [
        "POST /v1/events/ingest", "POST /v1/events/backfill/{operationId}/events", "POST /v1/usage/projection",
        "POST /v1/simulations/invoice", "POST /v1/simulations/compare", "POST /v1/webhooks/stripe",
    ];

    /// <summary>Routes whose method is called over gRPC here.</summary>
    private static readonly HashSet<string> OverGrpc = ["POST /v1/anchors"];

    private readonly List<Change> _changes = [];

    [Fact]
    public async Task EveryChange_HasABeginningAndAnOutcomeInTheAuditLog()
    {
        await MakeEveryChangeAsync();

        Assert.Equal(await ChangingRoutesAsync(), _changes.Select(change => change.Route).OfType<string>().Distinct().Order(StringComparer.Ordinal));
        var recorded = RecordedMethods().Select(method => method.Name).Order(StringComparer.Ordinal);
        Assert.Equal(recorded, _changes.SelectMany(change => change.Actions).Select(action => action[(action.IndexOf('.', StringComparison.Ordinal) + 1)..]).Distinct().Order(StringComparer.Ordinal));
        foreach (var change in _changes)
            await AssertRecordedAsync(change);
        Assert.Empty((await system.GetAsync(system.Acme, "/v1/audit-log?unresolved=true&limit=1000")).Json["entries"]!.AsArray());
        Assert.Equal(0, (await system.CommandAsync("audit-log", "verify", "--api-key", system.Acme)).Code);
    }

    /// <summary>A stream would end after its changes, and with it what is entered of them.</summary>
    [Fact]
    public void Streams_ChangeNothingThatIsRecorded() => Assert.DoesNotContain(
        RecordedMethods(), method => method.GetParameters().Any(parameter => parameter.ParameterType.Name.StartsWith("IAsyncStreamReader", StringComparison.Ordinal)
            || parameter.ParameterType.Name.StartsWith("IServerStreamWriter", StringComparison.Ordinal)));

    [Fact]
    public async Task Change_ThatIsRefusedBeforeAnythingIsWritten_LeavesNoEntry()
    {
        var answer = await SendAsync("refused-early", system.Beta, HttpMethod.Post, "/v1/adjustments", """{"metric":"calls"}""");

        Assert.Equal(400, answer.Code);
        Assert.Empty(await EntriesAsync(system.Beta, "refused-early"));
    }

    [Fact]
    public async Task Unresolved_FromTheFirstEntryOn_IsRefusedByField()
    {
        var answer = await system.GetAsync(system.Beta, "/v1/audit-log?unresolved=true&sortDir=asc");

        Assert.Equal((400, "sortDir"), (answer.Code, (string)answer.Json["errors"]![0]!["field"]!));
    }

    [Fact]
    public async Task Change_ThatIsRefusedOnceBegun_SaysSo()
    {
        Assert.Equal(201, (await system.PostAsync(system.Beta, "/v1/admin/projects", JsonNode.Parse("""{"id":"twice"}""")!)).Code);
        var answer = await SendAsync("refused-late", system.Beta, HttpMethod.Post, "/v1/admin/projects", """{"id":"twice"}""");

        Assert.Equal(409, answer.Code);
        var entries = await EntriesAsync(system.Beta, "refused-late");
        Assert.Equal(["refused", "begun"], entries.Select(entry => (string)entry["stage"]!));
        Assert.Equal("AlreadyExists", (string?)entries[0]["after"]!["code"]);
    }

    private async Task MakeEveryChangeAsync()
    {
        await MakeIdentitiesAsync();
        var (meter, price) = await MeterAndPriceAsync("calls");
        var mapping = await RestAsync("POST /v1/mappings", "MappingService.CreateMapping", null, $$"""{"metric":"calls","aggregation":"sum","priceId":"{{price}}"}""");
        await RestAsync("PUT /v1/mappings/{id}", "MappingService.UpdateMapping", Id(mapping), """{"currency":"usd"}""", overwrites: true);
        await RestAsync("DELETE /v1/mappings/{id}", "MappingService.DeleteMapping", Id(mapping), overwrites: true);
        await GrpcAsync("pusher", "BillingDriverService.RecordUsage", overwrites: true, headers => new BillingDriverService.BillingDriverServiceClient(system.Grpc("pusher"))
            .RecordUsageAsync(new RecordUsageRequest
            {
                Target = new DriverTarget { Mode = DriverMode.Live, MeterId = meter, StripeCustomer = "cus_1", PeriodStart = MonthStart() },
                Quantity = "1", IdempotencyKey = "audited",
            }, headers).ResponseAsync);
        await MakeCorrectionsAsync();
        await MakeBackfillsAsync();
        await MakeSimulationsAsync();
        await SettleDeadLettersAsync();
    }

    private async Task MakeIdentitiesAsync()
    {
        var key = await RestAsync("POST /v1/admin/api-keys", "IdentityService.CreateKey", null, """{"name":"audited"}""");
        var id = (string)key["key"]!["id"]!;
        var rotated = await RestAsync("POST /v1/admin/api-keys/{id}/rotate", "IdentityService.RotateKey", id, "{}", overwrites: true);
        await RestAsync("POST /v1/admin/api-keys/{id}/revoke", "IdentityService.RevokeKey", (string)rotated["key"]!["id"]!, "{}", overwrites: true);
        await RestAsync("POST /v1/admin/projects", "IdentityService.CreateProject", null, """{"id":"audited"}""");
        await RestAsync("POST /v1/customer-tokens", "IdentityService.CreateCustomerToken", null, """{"customerRef":"cus_1"}""");
        var made = await RestAsync("POST /v1/admin/organisations", "IdentityService.CreateOrganisation", null, """{"id":"audited"}""", key: system.Operator);
        _changes[^1] = _changes[^1] with { Key = (string)made["apiKey"]!, Actor = system.Operator };
    }

    private async Task MakeCorrectionsAsync()
    {
        var body = $$"""{"metric":"calls","customerRef":"cus_1","periodStart":"{{MonthStart().ToDateTime():yyyy-MM-dd}}","delta":"1","reason":"manual"}""";
        var first = await RestAsync("POST /v1/adjustments", "AdjustmentService.CreateAdjustment", null, body);
        await RestAsync("POST /v1/adjustments/{id}/approve", "AdjustmentService.ApproveAdjustment", Id(first), "{}", overwrites: true);
        await RestAsync("POST /v1/adjustments/{id}/revert", "AdjustmentService.RevertAdjustment", Id(first), "{}", overwrites: true);
        var second = await system.PostAsync(system.Acme, "/v1/adjustments", JsonNode.Parse(body)!);
        var reconciler = await system.MakeKeyAsync("acme", "--name", "reconciler", "--scope", "reconciliation:write");
        await RestAsync(
            "POST /v1/reconciliation/adjustments", "ReconciliationService.ApplySuggestions", null,
            $$"""{"adjustmentIds":["{{Id(second.Json)}}"],"reason":"audited"}""", overwrites: true, reconciler);
        _changes[^1] = _changes[^1] with { Key = system.Acme };
        await RestAsync("POST /v1/reconciliation/run", "ReconciliationService.RunReconciliation", null, "{}");
        var late = GuardedSystem.Event(null, "late", customer: "cus_late");
        late["events"]![0]!["ts"] = (TimeProvider.System.GetUtcNow() - TimeSpan.FromDays(3)).ToString("O");
        Assert.Equal(200, (await system.PostAsync(system.Acme, "/v1/events/ingest", late)).Code);
        await RestAsync("POST /v1/replay", "ReplayService.Replay", null, """{"metrics":["calls"],"since":"-PT100H","until":"now","mode":"apply"}""", overwrites: true);
        await RestAsync("POST /v1/rebuild", "ReplayService.RebuildCounters", null, """{"customerRef":"cus_late","rebuildId":"audited"}""");
        await GrpcAsync("ingest", "AnchorService.ChangeAnchor", overwrites: true, headers => new AnchorService.AnchorServiceClient(system.Grpc("ingest"))
            .ChangeAnchorAsync(new ChangeAnchorRequest { ChangeId = "audited", CustomerRef = "cus_1", Anchor = new BillingAnchor { Day = 5 }, EffectiveTime = MonthStart() }, headers)
            .ResponseAsync);
    }

    private async Task MakeBackfillsAsync()
    {
        const string Files = "/v1/events/backfill";
        await RestAsync($"POST {Files}", ["BackfillService.OpenBackfill", "BackfillService.CommitBackfill"], null,
            """{"metric":"storage","periodStart":"2026-01-24","reason":"audited","events":[{"metric":"storage","customerRef":"cus_1","quantity":3,"ts":"2026-01-24T00:00:00Z","idempotencyKey":"past"}]}""");
        var session = await RestAsync($"POST {Files}/sessions", "BackfillService.OpenBackfill", null, """{"metrics":["storage"],"reason":"audited"}""");
        var id = (string?)session["id"] ?? (string)session["operationId"]!;
        await RestAsync($"POST {Files}/{{operationId}}/commit", "BackfillService.CommitBackfill", id, "{}", overwrites: true);
        await RestAsync($"POST {Files}/{{operationId}}/revert", "BackfillService.RevertBackfill", id, "{}", overwrites: true);
    }

    private async Task MakeSimulationsAsync()
    {
        const string Scenarios = "/v1/simulations/scenarios";
        var scenario = await RestAsync($"POST {Scenarios}", "SimulationService.CreateScenario", null,
            """{"name":"audited","inputs":{"customerId":"c","periodStart":"2026-01-01","periodEnd":"2026-01-31","usageItems":[{"metric":"calls","quantity":3,"price":{"currency":"usd","unit_amount":5}}]}}""");
        await RestAsync($"PUT {Scenarios}/{{id}}", "SimulationService.UpdateScenario", Id(scenario), """{"description":"changed"}""", overwrites: true);
        await RestAsync("POST /v1/simulations/runs", "SimulationService.StartRun", null, $$"""{"scenarioId":"{{Id(scenario)}}"}""");
        await RestAsync("POST /v1/simulations/batch", "SimulationService.StartBatch", null, $$"""{"name":"audited","scenarioIds":["{{Id(scenario)}}"]}""");
        await RestAsync($"DELETE {Scenarios}/{{id}}", "SimulationService.DeleteScenario", Id(scenario), overwrites: true);
    }

    private async Task SettleDeadLettersAsync()
    {
        using var publisher = new HttpClient { BaseAddress = system.Publisher };
        foreach (var quantity in (string[])["x", "y"])
        {
            using var content = new StringContent($$"""{"tenantId":"acme","metric":"calls","customerRef":"cus_1","quantity":"{{quantity}}","ts":"2026-01-01T00:00:00Z"}""");
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var published = await publisher.PostAsync(new Uri("/v1.0/publish/pubsub/" + PublishingSystem.AcmesTopic, UriKind.Relative), content);
            Assert.True(published.IsSuccessStatusCode, published.ToString());
        }

        var letters = new JsonArray();
        await Patience.UntilAsync(async () =>
            (letters = (await system.GetAsync(system.Acme, "/v1/events/dead-letters")).Json["deadLetters"]!.AsArray()).Count == 2);
        var id = (string)letters[0]!["id"]!;
        await RestAsync("POST /v1/events/dead-letters/redrive", "DeadLetterService.RedriveDeadLetters", null, $$"""{"ids":["{{id}}"]}""", overwrites: true);
        await RestAsync("DELETE /v1/events/dead-letters/{id}", "DeadLetterService.DeleteDeadLetter", id, overwrites: true);
    }

    private Task<JsonNode> RestAsync(string route, string action, string? id, string? body = null, bool overwrites = false, string? key = null) =>
        RestAsync(route, [action], id, body, overwrites, key);

    /// <summary>Calls a route by its documented name, with a name for the request.</summary>
    private async Task<JsonNode> RestAsync(string route, string[] actions, string? id, string? body = null, bool overwrites = false, string? key = null)
    {
        var request = $"audited-{_changes.Count}";
        var (method, path) = (route[..route.IndexOf(' ', StringComparison.Ordinal)], route[(route.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
        var address = System.Text.RegularExpressions.Regex.Replace(path, @"\{[^}]*\}", Uri.EscapeDataString(id ?? ""));
        var answer = await SendAsync(request, key ?? system.Acme, new HttpMethod(method), address, body);
        Assert.True(answer.Code < 300, $"{route} answered {answer.Code}: {answer.Text}");
        _changes.Add(new Change(route, actions, request, overwrites, key ?? system.Acme, key ?? system.Acme));
        return answer.Text.Length > 0 ? answer.Json : new JsonObject();
    }

    private async Task GrpcAsync<T>(string app, string action, bool overwrites, Func<Metadata, Task<T>> call)
    {
        var request = $"audited-{_changes.Count}-at-{app}";
        await call(new Metadata { { "authorization", system.Acme }, { "x-request-id", request } });
        _changes.Add(new Change(null, [action], request, overwrites, system.Acme, system.Acme));
    }

    private Task<RestAnswer> SendAsync(string request, string key, HttpMethod method, string address, string? body) =>
        system.SendAsync(key, method, address, body is null ? null : JsonNode.Parse(body), ("x-request-id", request));

    private async Task AssertRecordedAsync(Change change)
    {
        var entries = await EntriesAsync(change.Key, change.RequestId);
        foreach (var action in change.Actions)
        {
            var pairs = (
                from end in entries.Where(entry => (string)entry["action"]! == action && (string)entry["stage"]! == "done")
                from start in entries.Where(entry => (long)entry["sequence"]! == (long?)end["begun"])
                select (end, start)).ToArray();
            Assert.True(pairs.Length == 1, $"{action} has {pairs.Length} beginnings with outcomes: {string.Join('\n', entries.Select(entry => entry.ToJsonString()))}");
            var (outcome, beginning) = pairs[0];
            Assert.Equal("begun", (string?)beginning["stage"]);
            Assert.Equal("api:" + change.Actor[..change.Actor.IndexOf('.', StringComparison.Ordinal)], (string?)beginning["actor"]);
            Assert.NotNull(beginning["asked"]);
            Assert.True(beginning["before"] is not null || !change.Overwrites, $"{action} does not say what stood before.");
            Assert.NotNull(outcome["after"]);
        }
    }

    private async Task<JsonNode[]> EntriesAsync(string key, string request) =>
    [
        .. (await system.GetAsync(key, $"/v1/audit-log?limit=1000&requestId={Uri.EscapeDataString(request)}")).Json["entries"]!.AsArray().Select(entry => entry!),
    ];

    private async Task<(string Meter, string Price)> MeterAndPriceAsync(string name)
    {
        using var stripe = new HttpClient { BaseAddress = system.Stripe };
        stripe.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes("sk_test_double:")));
        var meter = await FormAsync("/v1/billing/meters", ("display_name", name), ("event_name", name), ("default_aggregation[formula]", "sum"));
        var price = await FormAsync(
            "/v1/prices", ("currency", "usd"), ("unit_amount", "5"), ("product_data[name]", name), ("recurring[interval]", "month"),
            ("recurring[usage_type]", "metered"), ("recurring[meter]", meter));
        return (await FormAsync("/v1/billing/meters", ("display_name", "seats"), ("event_name", "seats"), ("default_aggregation[formula]", "sum")), price);

        async Task<string> FormAsync(string path, params (string Name, string Value)[] fields)
        {
            using var form = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));
            using var answer = await stripe.PostAsync(new Uri(path, UriKind.Relative), form);
            return Id(JsonNode.Parse(await answer.Content.ReadAsStringAsync())!);
        }
    }

    private async Task<IEnumerable<string>> ChangingRoutesAsync() =>
        from path in (await system.GetAsync(null, "/openapi/v1.json")).Json["paths"]!.AsObject()
        from operation in path.Value!.AsObject()
        let route = $"{operation.Key.ToUpperInvariant()} {path.Key}"
        where operation.Key != "get" && !Unrecorded.Contains(route) && !OverGrpc.Contains(route)
        orderby route
        select route;

    private static IEnumerable<MethodInfo> RecordedMethods() =>
        from app in new[] { typeof(Ingest.IngestApp), typeof(Aggregator.AggregatorApp), typeof(Pusher.PusherApp), typeof(Pricing.PricingApp), typeof(Gateway.GatewayApp) }
        from type in app.Assembly.GetTypes()
        from method in type.GetMethods()
        where method.GetParameters().Any(parameter => parameter.ParameterType == typeof(ServerCallContext))
            && (method.GetCustomAttribute<AccessAttribute>() ?? type.GetCustomAttribute<AccessAttribute>()) is { IsRecorded: true }
        select method;

    private static string Id(JsonNode answer) => (string)answer["id"]!;

    private static Timestamp MonthStart()
    {
        var now = TimeProvider.System.GetUtcNow();
        return new DateTimeOffset(now.Year, now.Month, 1, 0, 0, 0, TimeSpan.Zero).ToTimestamp();
    }

    /// <summary>A change that was made.</summary>
    /// <param name="Route">The REST route; null: over gRPC only.</param>
    /// <param name="Actions">What the audit log calls it.</param>
    /// <param name="RequestId">The request.</param>
    /// <param name="Overwrites">Whether something stood before.</param>
    /// <param name="Key">A key of whose change it is.</param>
    /// <param name="Actor">The key that made it.</param>
    private sealed record Change(string? Route, string[] Actions, string RequestId, bool Overwrites, string Key, string Actor);
}
