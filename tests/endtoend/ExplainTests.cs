using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Stripe.Billing;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>From an event to what Stripe was told, and from a counter back to its events, over REST.</summary>
public sealed class ExplainTests : IAsyncLifetime
{
    private const string Tenant = "explained";
    private EmbeddedSystem _system = null!;

    public async ValueTask InitializeAsync() => _system = await EmbeddedSystem.StartAsync();

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    [Fact]
    public async Task Event_ThatWasPushed_LeadsToItsCounterAndToStripe()
    {
        var meter = await _system.Stripe.V1.Billing.Meters.CreateAsync(new MeterCreateOptions
        {
            DisplayName = "Calls", EventName = "calls", DefaultAggregation = new MeterDefaultAggregationOptions { Formula = "sum" },
        });
        var customer = await _system.Stripe.V1.Customers.CreateAsync(new Stripe.CustomerCreateOptions { Name = "One" });
        var table = new Dictionary<string, string> { ["cus_1"] = customer.Id };
        using var mapped = await _system.Rest.PostAsJsonAsync("/v1/mappings", new
        {
            tenantId = Tenant, metric = "calls", aggregation = "sum", stripeAccount = "default", meterId = meter.Id, customers = new { table },
        });
        Assert.Equal(HttpStatusCode.Created, mapped.StatusCode);
        await _system.IngestAsync(Event("calls", "7.5", "a/1", Clock.AddMinutes(-10)));

        await EmbeddedSystem.UntilAsync(
            async () => (await ExplainAsync("a/1"))["deltas"]!.AsArray() is [{ } delta] && delta["accepted"]!.ToJsonString() == "7.5",
            "Stripe accepted the event");
        var explained = await ExplainAsync("a/1");

        var record = explained["record"]!;
        Assert.Equal(("counted", true), ((string)record["standing"]!, (bool)record["counts"]!));
        Assert.True((long)record["position"]! > 0);
        Assert.True((bool)explained["settled"]!);
        Assert.Equal("7.5", explained["counter"]!["sum"]!.ToJsonString());
        Assert.Equal((string)record["periodStart"]!, (string)explained["counter"]!["periodStart"]!);
        Assert.Equal((meter.Id, customer.Id), ((string)explained["deltas"]![0]!["meterId"]!, (string)explained["deltas"]![0]!["stripeCustomer"]!));
    }

    [Fact]
    public async Task LateEvent_HeldApprovedReverted_SaysSoEachTime()
    {
        await _system.IngestAsync(Event("late", "2", "l1", Clock.AddHours(-60)));
        var record = (await ExplainAsync("l1"))["record"]!;
        Assert.Equal(("held", false), ((string)record["standing"]!, (bool)record["counts"]!));
        var path = $"/v1/adjustments/{record["adjustmentId"]!}";

        using var approved = await _system.Rest.PostAsJsonAsync(path + "/approve", new { tenantId = Tenant });
        Assert.True(approved.IsSuccessStatusCode);
        await EmbeddedSystem.UntilAsync(async () => (bool)(await ExplainAsync("l1"))["settled"]!, "the approval is counted");
        Assert.Equal("approved", (string)(await ExplainAsync("l1"))["record"]!["standing"]!);

        using var reverted = await _system.Rest.PostAsJsonAsync(path + "/revert", new { tenantId = Tenant });
        Assert.True(reverted.IsSuccessStatusCode);
        record = (await ExplainAsync("l1"))["record"]!;
        Assert.Equal("reverted", (string)record["standing"]!);
        Assert.True((long)record["takenBackPosition"]! > (long)record["approvePosition"]!);
    }

    [Fact]
    public async Task Counter_PageByPage_AddsUpToItsSum()
    {
        var moment = Clock.AddMinutes(-30);
        await _system.IngestAsync([.. Enumerable.Range(0, 7).Select(number => Event("paged", "0.1", $"p{number}", moment.AddSeconds(number)))]);
        await _system.UntilCountedAsync(Tenant);

        var (sum, keys, cursor) = (0m, new List<string>(), "");
        do
        {
            var page = await _system.GetAsync(
                $"/v1/counters/explain?tenantId={Tenant}&metric=paged&customerRef=cus_1&at={Time(moment)}&limit=3&cursor={cursor}");
            foreach (var record in page["records"]!.AsArray())
            {
                keys.Add((string)record!["event"]!["id"]!);
                sum += record["quantity"]!.GetValue<decimal>();
            }

            Assert.Equal("0.7", page["counter"]!["sum"]!.ToJsonString());
            cursor = (string?)page["nextCursor"] ?? "";
        }
        while (cursor.Length > 0);

        Assert.Equal(Enumerable.Range(0, 7).Select(number => $"p{number}"), keys);
        Assert.Equal(0.7m, sum);
    }

    [Fact]
    public async Task Event_OfAnotherTenantOrNone_IsNotFound()
    {
        await _system.IngestAsync(Event("mine", "1", "secret", Clock));

        foreach (var path in (string[])["/v1/events/secret/explain?tenantId=other", $"/v1/events/explain?tenantId={Tenant}&idempotencyKey=none"])
        {
            using var answer = await _system.Rest.GetAsync(new Uri(path, UriKind.Relative));
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }

        using var unnamed = await _system.Rest.GetAsync(new Uri("/v1/events/secret/explain", UriKind.Relative));
        Assert.Equal(HttpStatusCode.BadRequest, unnamed.StatusCode);
        Assert.Empty((await _system.GetAsync("/v1/counters/explain?tenantId=other&metric=mine&customerRef=cus_1"))["records"]!.AsArray());
    }

    [Fact]
    public async Task Audit_OfTheCountersOfATenant_FindsThemAsTheLedgerHasThem()
    {
        await _system.IngestAsync(Event("audited", "1", "x1", Clock), Event("audited2", "1", "x2", Clock));
        await _system.UntilCountedAsync(Tenant);

        var audit = await _system.GetAsync($"/v1/counters/audit?tenantId={Tenant}");

        Assert.Equal(2, (int)audit["matching"]!);
        Assert.Empty(audit["mismatches"]!.AsArray());
    }

    private static DateTimeOffset Clock => TimeProvider.System.GetUtcNow();

    private static string Time(DateTimeOffset moment) => Uri.EscapeDataString(moment.ToString("O", CultureInfo.InvariantCulture));

    private Task<JsonNode> ExplainAsync(string key) =>
        _system.GetAsync($"/v1/events/explain?tenantId={Tenant}&idempotencyKey={Uri.EscapeDataString(key)}");

    private static object Event(string metric, string quantity, string key, DateTimeOffset moment) => new
    {
        tenantId = Tenant, metric, customerRef = "cus_1", quantity, ts = moment.ToString("O", CultureInfo.InvariantCulture), idempotencyKey = key,
    };
}
