using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Stripe;
using Stripe.Billing;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>Somebody writes to a meter past the ledger; it is found, named and put right. Every service is a process of its own.</summary>
public sealed class ReconciliationTests
{
    private const string Tenant = "reconciling";

    [Fact]
    public async Task Drift_IsFound_Named_TakenBack_AndResolved_InSeparateProcesses()
    {
        var now = TimeProvider.System.GetUtcNow();
        // Two hours back is within the period, whatever day it is.
        var began = now.AddDays(-1);
        await using var system = new ApartSystem();
        await system.StartAsync();
        using var rest = new HttpClient { BaseAddress = system.Rest };
        var stripe = new StripeClient(new StripeClientOptions { ApiKey = "sk_test_double", ApiBase = system.StripeBase });
        var meter = await stripe.V1.Billing.Meters.CreateAsync(new MeterCreateOptions
        {
            DisplayName = "Calls", EventName = "api_calls", DefaultAggregation = new MeterDefaultAggregationOptions { Formula = "sum" },
        });
        await PostAsync(rest, "/v1/mappings", new { tenantId = Tenant, metric = "api_calls", aggregation = "sum", stripeAccount = "default", meterId = meter.Id });
        await PostAsync(rest, "/v1/anchors", new { tenantId = Tenant, customerRef = "cus_1", effectiveFrom = began, billingCycleAnchor = began });
        await PostAsync(rest, "/v1/events/ingest", new
        {
            events = new[] { new { tenantId = Tenant, metric = "api_calls", customerRef = "cus_1", quantity = "1000.5", ts = now, idempotencyKey = "call-1" } },
        });
        await UntilOutstandingIsZeroAsync(rest, "1000.5");
        var foreign = now.UtcDateTime.AddHours(-2);
        await stripe.V1.Billing.MeterEvents.CreateAsync(new MeterEventCreateOptions
        {
            EventName = "api_calls", Payload = new() { ["stripe_customer_id"] = "cus_1", ["value"] = "70" }, Timestamp = foreign,
        });

        var (month, run) = ($"{began:yyyy-MM}", await RunAsync(rest));
        Assert.Equal(("completed", 1), ((string?)run["state"], (int)run["investigating"]!));
        var page = await GetAsync(rest, $"/v1/reconciliation/{month}?tenantId={Tenant}");
        var report = Assert.Single(page["reports"]!.AsArray())!;
        Assert.Equal(
            ("investigate", "foreign_writer", "1000.5", "1070.5", "70"),
            ((string?)report["status"], (string?)report["reason"], report["localTotal"]!.ToJsonString(), report["stripeTotal"]!.ToJsonString(), report["diff"]!.ToJsonString()));
        Assert.Equal(new DateTime(foreign.Ticks - (foreign.Ticks % TimeSpan.TicksPerMinute)), ((DateTimeOffset)report["foreign"]![0]!["minute"]!).UtcDateTime);
        Assert.Equal((1, 1, "70"), ((int)page["summary"]!["total"]!, (int)page["summary"]!["investigating"]!, page["summary"]!["maxDiff"]!.ToJsonString()));
        await CheckCsvAsync(rest, month, meter.Id);

        var suggestion = (string)Assert.Single(page["suggestedAdjustments"]!.AsArray())!["id"]!;
        var strangers = await PostAsync(rest, "/v1/reconciliation/adjustments", new { tenantId = "stranger", adjustmentIds = new[] { suggestion } });
        Assert.Equal((0, 1), ((int)strangers["applied"]!, (int)strangers["failed"]!));
        var broken = await BreakOffApplyingAsync(rest, suggestion, report);
        for (var repeat = 0; repeat < 2; repeat++)
        {
            var done = await PostAsync(rest, "/v1/reconciliation/adjustments", new { tenantId = Tenant, adjustmentIds = new[] { suggestion, "none" }, reason = "a script" });
            Assert.Equal((1, 1), ((int)done["applied"]!, (int)done["failed"]!));
        }

        var corrected = Assert.Single((await GetAsync(rest, $"/v1/adjustments?tenantId={Tenant}"))["adjustments"]!.AsArray())!;
        Assert.Equal((broken, "approved"), ((string)corrected["id"]!, (string?)corrected["status"]));

        await UntilOutstandingIsZeroAsync(rest, "930.5");
        run = await RunAsync(rest);
        Assert.Equal((0, 1), ((int)run["investigating"]!, (int)run["resolved"]!));
        report = (await GetAsync(rest, $"/v1/reconciliation/{month}?tenantId={Tenant}"))["reports"]![0]!;
        Assert.Equal(("resolved", "0", "70", "1000.5"), ((string?)report["status"], report["drift"]!.ToJsonString(), report["takenBack"]!.ToJsonString(), report["stripeTotal"]!.ToJsonString()));
        var parity = await GetAsync(rest, $"/v1/reconciliation/summary?tenantId={Tenant}&period={month}&metric=api_calls&customerRef=cus_1");
        Assert.Equal(("parity", "70", "0"), ((string?)parity["status"], parity["counters"]!["before"]!["drift"]!.ToJsonString(), parity["counters"]!["after"]!["drift"]!.ToJsonString()));
        await CheckExplanationsAsync(rest);
    }

    /// <summary>Leaves what is there when applying a suggestion for some other reason breaks off before the approval.</summary>
    private static async Task<string> BreakOffApplyingAsync(HttpClient rest, string suggestion, JsonNode report)
    {
        var created = await PostAsync(rest, "/v1/adjustments", new
        {
            tenantId = Tenant, metric = "api_calls", customerRef = "cus_1", periodStart = (string?)report["periodStart"], delta = -70, reason = "correction",
            requestId = "reconciliation:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(suggestion))), note = "reconciliation: a guess",
        });
        return (string)created["id"]!;
    }

    /// <summary>From the event to its push, and from there to the event; the correction stands behind the second push.</summary>
    private static async Task CheckExplanationsAsync(HttpClient rest)
    {
        var push = Assert.Single((await GetAsync(rest, $"/v1/pushes?tenantId={Tenant}&idempotencyKey=call-1"))["pushes"]!.AsArray())!;
        var explained = await GetAsync(rest, $"/v1/pushes/{(string)push["intent"]!["identifier"]!}/explain?tenantId={Tenant}");
        var record = Assert.Single(explained["records"]!.AsArray())!;
        Assert.Equal(("call-1", "1000.5"), ((string?)record["idempotencyKey"], record["quantity"]!.ToJsonString()));
        using var missing = await rest.GetAsync(new Uri($"/v1/pushes/sm_none/explain?tenantId={Tenant}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    private static async Task CheckCsvAsync(HttpClient rest, string month, string meter)
    {
        using var answer = await rest.GetAsync(new Uri($"/v1/reconciliation/{month}?tenantId={Tenant}&format=csv", UriKind.Relative));
        Assert.Equal(($"reconciliation_{Tenant}_{month}.csv", "text/csv"), (answer.Content.Headers.ContentDisposition!.FileName!.Trim('"'), answer.Content.Headers.ContentType!.MediaType));
        Assert.Equal(
            ["subscription_item_id,period,local,stripe,drift_abs,drift_pct,status", $"{meter}/cus_1,{month},1000.5,1070.5,70,0.06539,investigate"],
            (await answer.Content.ReadAsStringAsync()).TrimEnd().Split('\n'));
        var sums = await rest.GetStringAsync(new Uri($"/v1/reconciliation/summary?tenantId={Tenant}&periodStart={month}&periodEnd={month}&format=csv", UriKind.Relative));
        Assert.Equal(
            ["metric,local,stripe,drift_abs,drift_pct,items", "api_calls,1000.5,1070.5,70,0.06539,1", "TOTAL,1000.5,1070.5,70,0.06539,1"], sums.TrimEnd().Split('\n'));
    }

    private static Task UntilOutstandingIsZeroAsync(HttpClient rest, string accepted) => EmbeddedSystem.UntilAsync(
        async () => (await GetAsync(rest, $"/v1/deltas?tenantId={Tenant}"))["deltas"]!.AsArray()
            .Any(delta => delta!["accepted"]!.ToJsonString() == accepted && delta["outstanding"]!.ToJsonString() == "0"),
        $"Stripe has accepted {accepted}");

    private static async Task<JsonNode> RunAsync(HttpClient rest)
    {
        using var started = await rest.PostAsJsonAsync("/v1/reconciliation/run", new { tenantId = Tenant });
        Assert.Equal(HttpStatusCode.Accepted, started.StatusCode);
        var job = (string)JsonNode.Parse(await started.Content.ReadAsStringAsync())!["jobId"]!;
        JsonNode run = new JsonObject();
        await EmbeddedSystem.UntilAsync(
            async () => (string?)(run = await GetAsync(rest, $"/v1/reconciliation/runs/{job}?tenantId={Tenant}"))["state"] is "completed" or "failed", "the run is over");
        return run;
    }

    private static async Task<JsonNode> GetAsync(HttpClient rest, string address)
    {
        using var answer = await rest.GetAsync(new Uri(address, UriKind.Relative));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{address} answered {(int)answer.StatusCode}: {text}");
        return JsonNode.Parse(text)!;
    }

    private static async Task<JsonNode> PostAsync(HttpClient rest, string address, object body)
    {
        using var answer = await rest.PostAsJsonAsync(address, body);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{address} answered {(int)answer.StatusCode}: {text}");
        return JsonNode.Parse(text)!;
    }
}
