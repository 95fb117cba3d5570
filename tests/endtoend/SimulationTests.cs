using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using StripeMeter.Kits.Files;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>Simulated invoices, scenarios and runs over REST, through the sidecars to the store.</summary>
public sealed partial class SimulationTests : IAsyncLifetime
{
    private const string Tenant = "simulating";
    private const string Inputs = """
        {"customerId":"cus_1","periodStart":"2026-01-01","periodEnd":"2026-01-31",
         "usageItems":[{"metric":"api_calls","quantity":1031,
           "price":{"currency":"usd","billing_scheme":"tiered","tiers_mode":"graduated",
             "tiers":[{"up_to":1000,"unit_amount":0,"flat_amount":900},{"up_to":"inf","unit_amount_decimal":"3.6"}]}}]}
        """;

    private EmbeddedSystem _system = null!;

    public async ValueTask InitializeAsync() => _system = await EmbeddedSystem.StartAsync();

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    [Fact]
    public async Task Invoice_OfSomeUsage_IsStripesToTheCent()
    {
        var (status, answer) = await SendAsync(HttpMethod.Post, "/v1/simulations/invoice", $$"""{"tenantId":"{{Tenant}}","inputs":{{Inputs}}}""");

        Assert.Equal(HttpStatusCode.OK, status);
        var invoice = answer["invoices"]![0]!;
        Assert.Equal((1_012, "usd", "2026-02-01T00:00:00Z"), ((int)invoice["total"]!, (string)invoice["currency"]!, (string)invoice["periodEnd"]!));
        Assert.Equal(["0", "900", "112"], invoice["lineItems"]![0]!["parts"]!.AsArray().Select(part => part!["amount"]!.ToJsonString()));
    }

    [Theory]
    [InlineData("3.6", "-3.6", "inputs.usageItems[0].price.tiers[1].unit_amount")]
    [InlineData("1000", "-1000", "inputs.usageItems[0].price.tiers[0].up_to")]
    [InlineData("usd", "xxx", "inputs.usageItems[0].price.currency")]
    [InlineData("3.6", "0.0000000000001", "inputs.usageItems[0].price.tiers[1].unit_amount_decimal")]
    [InlineData("3.6", "NaN", "inputs.usageItems[0].price.tiers[1].unit_amount_decimal")]
    [InlineData("\"inf\"", "2000", "inputs.usageItems[0].price.tiers[1].up_to")]
    [InlineData("customerId", "customer", "inputs.customerId")]
    public async Task Invoice_BadConfiguration_NamesTheField(string good, string bad, string field)
    {
        var (status, answer) = await SendAsync(HttpMethod.Post, "/v1/simulations/invoice",
            $$"""{"tenantId":"{{Tenant}}","inputs":{{Inputs.Replace(good, bad, StringComparison.Ordinal)}}}""");

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(field, (string)answer["errors"]![0]!["field"]!);
    }

    [Fact]
    public async Task Scenario_FromCreationToARunAndDeletion()
    {
        var (status, created) = await SendAsync(HttpMethod.Post, "/v1/simulations/scenarios",
            $$$"""{"tenantId":"{{{Tenant}}}","name":"credits","tags":["tiers","golden"],"model":{"reference":"plans/7"},"inputs":{{{Inputs}}},"expected":{"total":1013}}""");
        Assert.Equal(HttpStatusCode.Created, status);
        var id = (string)created["id"]!;

        var run = await RunAsync($$$"""{"tenantId":"{{{Tenant}}}","scenarioId":"{{{id}}}","runType":"ci","metadata":{"commit":"4f2a"}}""");
        Assert.Equal(("completed", false, 1_012), ((string)run["status"]!, (bool)run["passed"]!, (int)run["result"]!["total"]!));
        Assert.Equal(("total", -1), ((string)run["comparison"]!["differences"]![0]!["field"]!, (int)run["comparison"]!["differences"]![0]!["difference"]!));
        Assert.Equal(("ci", "4f2a"), ((string)run["runType"]!, (string)run["metadata"]!["commit"]!));
        Assert.True((long)run["durationMs"]! >= 0);

        (status, _) = await SendAsync(HttpMethod.Put, $"/v1/simulations/scenarios/{id}", $$$"""{"tenantId":"{{{Tenant}}}","expected":{"total":1012}}""");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.True((bool)(await RunAsync($$"""{"tenantId":"{{Tenant}}","scenarioId":"{{id}}"}"""))["passed"]!);

        var kept = await _system.GetAsync($"/v1/simulations/scenarios/{id}?tenantId={Tenant}");
        Assert.Equal(("plans/7", 1_031, true), ((string)kept["model"]!["reference"]!, (int)kept["inputs"]!["usageItems"]![0]!["quantity"]!, (bool)kept["active"]!));
        var listed = await _system.GetAsync($"/v1/simulations/scenarios?tenantId={Tenant}&tag=golden&sortBy=name&sortOrder=asc&active=true");
        Assert.Equal((1, 20, 0), ((int)listed["total"]!, (int)listed["limit"]!, (int)listed["offset"]!));
        Assert.Null(listed["scenarios"]![0]!["inputs"]);
        Assert.Equal(2, (int)(await _system.GetAsync($"/v1/simulations/runs?tenantId={Tenant}&scenarioId={id}&status=completed"))["total"]!);

        (status, _) = await SendAsync(HttpMethod.Delete, $"/v1/simulations/scenarios/{id}?tenantId={Tenant}", null);
        Assert.Equal(HttpStatusCode.NoContent, status);
        Assert.False((bool)(await _system.GetAsync($"/v1/simulations/scenarios/{id}?tenantId={Tenant}"))["active"]!);
        (status, _) = await SendAsync(HttpMethod.Post, "/v1/simulations/runs", $$"""{"tenantId":"{{Tenant}}","scenarioId":"{{id}}"}""");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
    }

    [Fact]
    public async Task Batch_OfScenarios_IsComputed_AndNamesWhatItCannotFind()
    {
        const string path = "/v1/simulations/batch";
        var scenario = (string)(await SendAsync(HttpMethod.Post, "/v1/simulations/scenarios",
            $$$"""{"tenantId":"{{{Tenant}}}","name":"tiers","inputs":{{{Inputs}}},"expected":{"total":1012}}""")).Answer["id"]!;

        var (status, started) = await SendAsync(HttpMethod.Post, path, $$"""{"tenantId":"{{Tenant}}","name":"all","scenarioIds":["{{scenario}}","{{scenario}}"]}""");
        Assert.Equal((HttpStatusCode.Accepted, 2), (status, (int)started["totalRuns"]!));
        JsonNode batch = new JsonObject();
        await EmbeddedSystem.UntilAsync(
            async () => (string)(batch = await _system.GetAsync($"{path}/{(string)started["batchId"]!}?tenantId={Tenant}"))["status"]! != "running", "the batch ends");
        Assert.Equal(("completed", "100"), ((string)batch["status"]!, batch["summary"]!["successRate"]!.ToJsonString()));
        Assert.Equal([(scenario, true), (scenario, true)], batch["runs"]!.AsArray().Select(run => ((string)run!["scenarioId"]!, (bool)run["passed"]!)));

        (status, var problem) = await SendAsync(HttpMethod.Post, path, $$"""{"tenantId":"{{Tenant}}","name":"all","scenarioIds":["{{scenario}}","none"]}""");
        Assert.Equal((HttpStatusCode.BadRequest, "scenarioIds[1]"), (status, (string)problem["errors"]![0]!["field"]!));
        (status, _) = await SendAsync(HttpMethod.Get, $"{path}/{(string)started["batchId"]!}?tenantId=other", null);
        Assert.Equal(HttpStatusCode.NotFound, status);
    }

    [Fact]
    public async Task Compare_OverWhatIsCounted_StreamsCustomersAndSumsUp()
    {
        const string tenant = "comparing";
        await _system.IngestAsync([.. Enumerable.Range(1, 3).SelectMany(number => (object[])
        [
            new { tenantId = tenant, metric = "calls", customerRef = $"c{number}", quantity = number * 10, ts = Now, idempotencyKey = $"calls{number}" },
            new { tenantId = tenant, metric = "tokens", customerRef = $"c{number}", quantity = 1.5, ts = Now, idempotencyKey = $"tokens{number}" },
        ])]);
        await _system.UntilCountedAsync(tenant);

        var (status, text) = await SendTextAsync(HttpMethod.Post, "/v1/simulations/compare", $$$$$"""
            {"tenantId":"{{{{{tenant}}}}}",
             "before":{"prices":{"calls":{"currency":"usd","unit_amount":5},"tokens":{"currency":"usd","unit_amount":100}}},
             "after":{"prices":{"calls":{"currency":"usd","unit_amount":6}}}}
            """);

        Assert.Equal(HttpStatusCode.OK, status);
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).ToArray();
        Assert.Equal("usd", (string)lines[0]["start"]!["currency"]!);
        Assert.Equal(
            [("c1", 200, 60), ("c2", 250, 120), ("c3", 300, 180)],
            lines[1..^1].Select(line => ((string)line["change"]!["customer"]!, (int)line["change"]!["before"]!, (int)line["change"]!["after"]!)));
        Assert.Equal((3, 750, 360), ((int)lines[^1]["summary"]!["customers"]!, (int)lines[^1]["summary"]!["before"]!, (int)lines[^1]["summary"]!["after"]!));
    }

    [Theory]
    [InlineData("""{"tenantId":"comparing","after":{"prices":{"calls":{"currency":"usd","unit_amount":-6}}}}""", "after.prices.calls.unit_amount")]
    [InlineData("""{"tenantId":"comparing","after":{"prices":{"calls":{"currency":"usd","unit_amount":6}}}}""", "before")]
    [InlineData("""{"tenantId":"comparing"}""", "after")]
    [InlineData("""{"tenantId":"comparing","after":{"prices":{}},"usage":[{"customer":"c","usage":{"calls":"x"},"x":1}]}""", "usage[0].x")]
    public async Task Compare_BadRequest_NamesTheField(string body, string field)
    {
        var (status, problem) = await SendAsync(HttpMethod.Post, "/v1/simulations/compare", body);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Equal(field, (string)problem["errors"]![0]!["field"]!);
    }

    /// <summary>What docs/simulator-getting-started.md sends is accepted.</summary>
    [Fact]
    public async Task Document_EveryRequest_IsAccepted()
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs/simulator-getting-started.md"), TestContext.Current.CancellationToken);

        var requests = Curl().Matches(text);
        foreach (Match request in requests)
        {
            var (status, answer) = await SendTextAsync(HttpMethod.Post, request.Groups["path"].Value, request.Groups["body"].Value);
            Assert.True((int)status is >= 200 and < 300, $"{request.Groups["path"].Value} answered {status}: {answer}");
        }

        Assert.Equal(4, requests.Count);
    }

    [Theory]
    [InlineData("GET", "/v1/simulations/scenarios/none?tenantId=simulating", null, 404)]
    [InlineData("GET", "/v1/simulations/runs/none?tenantId=simulating", null, 404)]
    [InlineData("PUT", "/v1/simulations/scenarios/none", """{"tenantId":"simulating","name":"x"}""", 404)]
    [InlineData("DELETE", "/v1/simulations/scenarios/none?tenantId=simulating", null, 404)]
    [InlineData("POST", "/v1/simulations/runs", """{"tenantId":"simulating","scenarioId":"none"}""", 404)]
    [InlineData("POST", "/v1/simulations/runs", """{"tenantId":"simulating"}""", 400)]
    [InlineData("POST", "/v1/simulations/scenarios", """{"tenantId":"simulating","name":"x"}""", 400)]
    [InlineData("POST", "/v1/simulations/scenarios", """{"tenantId":"simulating","nme":"x"}""", 400)]
    [InlineData("GET", "/v1/simulations/runs?tenantId=simulating&status=done", null, 400)]
    public async Task BadRequests_AreNeverServerErrors(string method, string path, string? body, int expected)
    {
        var (status, problem) = await SendAsync(new HttpMethod(method), path, body);

        Assert.Equal(expected, (int)status);
        Assert.NotEmpty((string)problem["title"]!);
    }

    private async Task<JsonNode> RunAsync(string body)
    {
        var (status, started) = await SendAsync(HttpMethod.Post, "/v1/simulations/runs", body);
        Assert.Equal((HttpStatusCode.Accepted, "pending"), (status, (string)started["status"]!));
        JsonNode? run = null;
        await EmbeddedSystem.UntilAsync(async () =>
        {
            run = await _system.GetAsync($"/v1/simulations/runs/{(string)started["runId"]!}?tenantId={Tenant}");
            return (string)run["status"]! is "completed" or "failed";
        }, "the run ends");
        return run!;
    }

    [GeneratedRegex(@"curl -X POST http://localhost:3000(?<path>\S+) -H 'Content-Type: application/json' -d '(?<body>[^']+)'")]
    private static partial Regex Curl();

    private static string Now => TimeProvider.System.GetUtcNow().ToString("O", System.Globalization.CultureInfo.InvariantCulture);

    private async Task<(HttpStatusCode Status, JsonNode Answer)> SendAsync(HttpMethod method, string path, string? body)
    {
        var (status, text) = await SendTextAsync(method, path, body);
        return (status, text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!);
    }

    private async Task<(HttpStatusCode Status, string Text)> SendTextAsync(HttpMethod method, string path, string? body)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await _system.Rest.SendAsync(request);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
