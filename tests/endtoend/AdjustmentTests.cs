using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>Late events, corrections, replay, rebuild and anchors, over REST and gRPC, down to the counters.</summary>
public sealed class AdjustmentTests : IAsyncLifetime
{
    private const string Tenant = "adjusting";
    private EmbeddedSystem _system = null!;

    public async ValueTask InitializeAsync() => _system = await EmbeddedSystem.StartAsync();

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    [Fact]
    public async Task LateEvent_ApprovedThenReverted_CountsWholeAndThenNotAtAll()
    {
        var late = Clock.AddHours(-50);
        await _system.IngestAsync(Event("late", "7.5", "late/1", late), Event("late", "2", "timely", Clock));

        var pending = (await _system.GetAsync($"/v1/adjustments?tenantId={Tenant}&metric=late&status=pending"))["adjustments"]!.AsArray();
        var id = (string)Assert.Single(pending)!["id"]!;
        Assert.Equal("late_event", (string)pending[0]!["reason"]!);
        Assert.Equal("late/1", (string)pending[0]!["eventKey"]!);

        Assert.True((bool)(await PostAsync($"/v1/adjustments/{id}/approve", new { tenantId = Tenant }))["ok"]!);
        Assert.True((bool)(await PostAsync($"/v1/adjustments/{id}/approve", new { tenantId = Tenant }))["already"]!);
        await UntilSumAsync("late", late, "cus_1", late.Month == Clock.Month ? "9.5" : "7.5");

        Assert.True((bool)(await PostAsync($"/v1/adjustments/{id}/revert", new { tenantId = Tenant, note = "wrong" }))["ok"]!);
        await UntilSumAsync("late", late, "cus_1", late.Month == Clock.Month ? "2" : "0");
        using var again = await _system.Rest.PostAsJsonAsync($"/v1/adjustments/{id}/approve", new { tenantId = Tenant });
        Assert.Equal(HttpStatusCode.BadRequest, again.StatusCode);
        Assert.Contains("Already reverted", await again.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RequestKey_OfAWrite_StandsForOneRequest()
    {
        var scenario = new
        {
            tenantId = Tenant, name = "keyed",
            inputs = new { customerId = "cus_1", periodStart = "2026-01-01", periodEnd = "2026-01-31", usageItems = Array.Empty<object>() },
        };
        object Correction(decimal delta) =>
            new { tenantId = Tenant, metric = "keyed", customerRef = "cus_1", periodStart = Day(Clock), delta, reason = "credit" };

        var (created, first) = await KeyedAsync("/v1/adjustments", "key-1", Correction(-1));
        var (_, repeated) = await KeyedAsync("/v1/adjustments", "key-1", Correction(-1));
        var (other, problem) = await KeyedAsync("/v1/adjustments", "key-1", Correction(-2));
        var (elsewhere, _) = await KeyedAsync("/v1/simulations/scenarios", "key-1", scenario);
        var (long256, refusal) = await KeyedAsync("/v1/adjustments", new string('k', 256), Correction(-1));

        Assert.Equal(HttpStatusCode.Created, created);
        Assert.Equal((string)first["id"]!, (string)repeated["id"]!);
        Assert.Equal([HttpStatusCode.UnprocessableEntity, HttpStatusCode.UnprocessableEntity, HttpStatusCode.BadRequest], [other, elsewhere, long256]);
        Assert.Contains("stands for another request", (string)problem["detail"]!, StringComparison.Ordinal);
        Assert.Equal("Idempotency-Key", (string)refusal["errors"]![0]!["field"]!);
        Assert.Single((await _system.GetAsync($"/v1/adjustments?tenantId={Tenant}&metric=keyed"))["adjustments"]!.AsArray());
    }

    private async Task<(HttpStatusCode Status, JsonNode Answer)> KeyedAsync(string path, string key, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        request.Headers.Add("Idempotency-Key", key);
        using var response = await _system.Rest.SendAsync(request);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }

    [Fact]
    public async Task RequestId_SentAgainByAnotherActor_IsTheSameRequest()
    {
        var adjustments = new AdjustmentService.AdjustmentServiceClient(_system.Ingest);
        var request = new CreateAdjustmentRequest
        {
            TenantId = Tenant, Metric = "rotated", CustomerRef = "cus_1", PeriodTime = Timestamp.FromDateTimeOffset(Clock), Delta = "3",
            Reason = AdjustmentReason.Credit, Actor = "key_old", RequestId = "rotation",
        };
        var first = await adjustments.CreateAdjustmentAsync(request);
        request.Actor = "key_new";

        Assert.Equal(first, await adjustments.CreateAdjustmentAsync(request));
        Assert.Equal(first, await adjustments.GetAdjustmentAsync(new GetAdjustmentRequest { TenantId = Tenant, RequestId = "rotation" }));
        request.Delta = "4";
        var taken = await Assert.ThrowsAsync<RpcException>(async () => await adjustments.CreateAdjustmentAsync(request));
        Assert.Equal(StatusCode.AlreadyExists, taken.StatusCode);
    }

    /// <summary>Corrections of other customers fill the first page of the tenant's adjustments.</summary>
    [Fact]
    public async Task LateEvent_BehindManyAdjustments_IsAlerted()
    {
        const string Busy = "busy";
        var adjustments = new AdjustmentService.AdjustmentServiceClient(_system.Ingest);
        await Task.WhenAll(Enumerable.Range(0, 100).Select(number => adjustments.CreateAdjustmentAsync(new CreateAdjustmentRequest
        {
            TenantId = Busy, Metric = "m", CustomerRef = $"other_{number}", PeriodTime = Timestamp.FromDateTimeOffset(Clock), Delta = "1",
            Reason = AdjustmentReason.Manual,
        }).ResponseAsync));
        // A period that holds the late event, whatever day it is.
        var began = Clock.AddDays(-5);
        await PostAsync("/v1/anchors", new { tenantId = Busy, customerRef = "cus_1", effectiveFrom = began, billingCycleAnchor = began });
        await _system.IngestAsync(new
        {
            tenantId = Busy, metric = "m", customerRef = "cus_1", quantity = 1, idempotencyKey = "late",
            ts = Clock.AddHours(-50).ToString("O", CultureInfo.InvariantCulture),
        });

        var alerts = (await _system.GetAsync($"/v1/usage/current?tenantId={Busy}&customerRef=cus_1"))["alerts"]!.AsArray();

        Assert.Equal("late_events", (string)Assert.Single(alerts)!["type"]!);
    }

    [Fact]
    public async Task ManualAdjustment_ApprovedThenReverted_ChangesTheSumOnlyAndNetsToZero()
    {
        await _system.IngestAsync(Event("manual", "10", "a", Clock));
        var request = new
        {
            tenantId = Tenant, metric = "manual", customerRef = "cus_1", periodStart = Day(Clock), delta = -2.5, reason = "credit",
            requestId = "ticket", note = "outage",
        };
        var created = await PostAsync("/v1/adjustments", request);
        var id = (string)created["id"]!;
        Assert.Equal(id, (string)(await PostAsync("/v1/adjustments", request))["id"]!);
        Assert.Equal("pending", (string)(await _system.GetAsync($"/v1/adjustments/{id}?tenantId={Tenant}"))["status"]!);
        using var early = await _system.Rest.PostAsJsonAsync($"/v1/adjustments/{id}/revert", new { tenantId = Tenant });
        Assert.Equal(HttpStatusCode.BadRequest, early.StatusCode);

        await PostAsync($"/v1/adjustments/{id}/approve", new { tenantId = Tenant });
        await UntilSumAsync("manual", Clock, "cus_1", "7.5");
        var counter = await CounterAsync("manual", Clock, "cus_1");
        Assert.Equal((1, "10"), ((int)counter!["count"]!, counter["max"]!.ToJsonString()));

        await PostAsync($"/v1/adjustments/{id}/revert", new { tenantId = Tenant });
        await UntilSumAsync("manual", Clock, "cus_1", "10");
        Assert.Equal("reverted", (string)(await _system.GetAsync($"/v1/adjustments/{id}?tenantId={Tenant}"))["status"]!);
    }

    [Fact]
    public async Task Replay_DryRunThenApplyTwice_SaysWhatChangesAndCountsOnce()
    {
        var late = Clock.AddHours(-60);
        await _system.IngestAsync(
            Event("replayed", "1", "r1", late), Event("replayed", "2", "r2", late), Event("replayed", "4", "r3", Clock));

        var dry = await PostAsync("/v1/replay", new { tenantId = Tenant, dryRun = true });
        Assert.Equal("dry-run", (string)dry["mode"]!);
        var change = dry["changes"]!["replayed"]!;
        Assert.Equal((3, 2, "3"), ((int)change["eventsFound"]!, (int)change["lateEvents"]!, change["counterDelta"]!.ToJsonString()));
        Assert.Equal("cus_1", (string)Assert.Single(change["affectedCustomers"]!.AsArray())!);

        var body = new { tenantId = Tenant, metrics = (string[])["replayed"], since = "-PT100H", until = "now", mode = "apply" };
        Assert.Equal(2, (int)(await PostAsync("/v1/replay", body))["applied"]!);
        Assert.Equal(0, (int)(await PostAsync("/v1/replay", body))["applied"]!);
        await UntilSumAsync("replayed", late, "cus_1", late.Month == Clock.Month ? "7" : "3");
    }

    [Fact]
    public async Task Replay_PageByPageWhileLateEventsKeepComing_CountsEachOnce()
    {
        const int First = 25;
        var late = Clock.AddHours(-70);
        await _system.IngestAsync([.. Enumerable.Range(0, First).Select(number => Event("paged", "1", $"page/{number}", late.AddMinutes(number)))]);
        var replays = new ReplayService.ReplayServiceClient(_system.Ingest);
        var request = new ReplayRequest
        {
            TenantId = Tenant, Metrics = { "paged" }, Since = Timestamp.FromDateTimeOffset(late.AddHours(-1)), Until = Timestamp.FromDateTimeOffset(Clock),
            Apply = true, PageSize = 10, Actor = "test",
        };

        // Between two pages one event comes behind the cursor, and one before it.
        var (approved, pages, watermarks) = (0L, 0, new List<Timestamp>());
        do
        {
            var page = await replays.ReplayAsync(request);
            (approved, pages, request.Cursor) = (approved + page.AppliedCount, pages + 1, page.Cursor);
            watermarks.Add(page.Watermark);
            if (pages == 1)
                await _system.IngestAsync(Event("paged", "100", "behind", late.AddMinutes(-1)), Event("paged", "1000", "before", late.AddMinutes(First)));
        }
        while (request.Cursor.Length > 0);

        Assert.Equal((First + 1, 3), (approved, pages));
        Assert.Equal(watermarks.OrderBy(watermark => watermark.ToDateTime()), watermarks);
        var held = (await _system.GetAsync($"/v1/adjustments?tenantId={Tenant}&metric=paged&status=pending"))["adjustments"]!.AsArray();
        Assert.Equal("behind", (string)Assert.Single(held)!["eventKey"]!);
        do
        {
            var page = await replays.ReplayAsync(request);
            (approved, request.Cursor) = (approved + page.AppliedCount, page.Cursor);
        }
        while (request.Cursor.Length > 0);
        Assert.Equal(First + 2, approved);
        await UntilSumsAsync("paged", "1125");
    }

    [Fact]
    public async Task Rebuild_OfACustomer_RecountsEveryCounter()
    {
        await _system.IngestAsync(Event("rebuilt", "3", "b1", Clock), Event("rebuilt", "5", "b2", Clock));
        await _system.UntilCountedAsync(Tenant);

        var told = await PostAsync("/v1/rebuild", new { tenantId = Tenant, customerRef = "cus_1", rebuildId = "again" });

        Assert.Equal(1, (int)told["counters"]!);
        await EmbeddedSystem.UntilAsync(
            async () => (await CounterAsync("rebuilt", Clock, "cus_1"))?["version"]?["recutPosition"] is { } recut && (long)recut > 0,
            "the counter was counted anew");
        await UntilSumAsync("rebuilt", Clock, "cus_1", "8");
    }

    [Fact]
    public async Task Anchor_Changed_CutsTheOpenPeriodThere()
    {
        var (before, after) = (Clock.AddHours(-3), Clock.AddHours(-1));
        await _system.IngestAsync(Event("anchored", "1", "p1", before), Event("anchored", "2", "p2", after));
        await _system.UntilCountedAsync(Tenant);
        var anchors = new AnchorService.AnchorServiceClient(_system.Ingest);
        var from = Clock.AddHours(-2);
        var request = new ChangeAnchorRequest
        {
            TenantId = Tenant, CustomerRef = "cus_1", EffectiveTime = Timestamp.FromDateTimeOffset(from), ChangeId = "evt_1",
            Anchor = new BillingAnchor { Day = from.Day, Minute = (from.Hour * 60) + from.Minute }, Actor = "test",
        };

        Assert.False((await anchors.ChangeAnchorAsync(request)).Already);
        Assert.True((await anchors.ChangeAnchorAsync(request)).Already);

        await EmbeddedSystem.UntilAsync(async () => await _system.CurrentAsync(Tenant, "cus_1", "anchored") == "2", "the period begins at the anchor");
        await UntilSumAsync("anchored", before, "cus_1", "1");
        Assert.Single((await anchors.ListAnchorsAsync(new ListAnchorsRequest { TenantId = Tenant, CustomerRef = "cus_1" })).Changes);
    }

    [Fact]
    public async Task Anchor_SetOverRest_IsListedAndStandsOnceUnderItsName()
    {
        var from = Clock.AddHours(-2);
        var set = new { tenantId = Tenant, customerRef = "cus_rest", effectiveFrom = from.ToString("O", CultureInfo.InvariantCulture), day = 31, minute = 570 };

        var first = await PostAsync("/v1/anchors", set, "evt_rest");
        var again = await PostAsync("/v1/anchors", set, "evt_rest");
        var byCycle = new { tenantId = Tenant, customerRef = "cus_rest", set.effectiveFrom, billingCycleAnchor = "2025-12-24T06:01:30Z", changeId = "evt_next" };
        var second = (await PostAsync("/v1/anchors", byCycle))["anchor"]!;

        Assert.Equal(("evt_rest", 31, 570), ((string)first["anchor"]!["changeId"]!, (int)first["anchor"]!["day"]!, (int)first["anchor"]!["minute"]!));
        Assert.Null(first["already"]);
        Assert.True((bool)again["already"]!);
        Assert.Equal((24, 361), ((int)second["day"]!, (int)second["minute"]!));
        var listed = (await _system.GetAsync($"/v1/anchors?tenantId={Tenant}&customerRef=cus_rest"))["anchors"]!.AsArray();
        Assert.Equal(["evt_rest", "evt_next"], listed.Select(anchor => (string)anchor!["changeId"]!));
        foreach (var other in (object[])[byCycle with { customerRef = "cus_2" }, byCycle with { billingCycleAnchor = "2025-12-25T06:01:30Z" }])
        {
            using var refused = await _system.Rest.PostAsJsonAsync("/v1/anchors", other);
            Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        }

        using var invalid = await _system.Rest.PostAsJsonAsync("/v1/anchors", set with { day = 32 });
        Assert.Equal(HttpStatusCode.BadRequest, invalid.StatusCode);
        Assert.Equal("day", (string)JsonNode.Parse(await invalid.Content.ReadAsStringAsync())!["errors"]![0]!["field"]!);
    }

    private static DateTimeOffset Clock => TimeProvider.System.GetUtcNow();

    private static string Day(DateTimeOffset moment) => moment.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static object Event(string metric, string quantity, string key, DateTimeOffset moment) => new
    {
        tenantId = Tenant, metric, customerRef = "cus_1", quantity, ts = moment.ToString("O", CultureInfo.InvariantCulture), idempotencyKey = key,
    };

    private async Task<JsonNode> PostAsync(string address, object body, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = JsonContent.Create(body) };
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        using var response = await _system.Rest.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{address} answered {(int)response.StatusCode}: {text}");
        return JsonNode.Parse(text)!;
    }

    private async Task<JsonNode?> CounterAsync(string metric, DateTimeOffset moment, string customer)
    {
        var at = Uri.EscapeDataString(moment.ToString("O", CultureInfo.InvariantCulture));
        var counters = await _system.GetAsync($"/v1/counters?tenantId={Tenant}&metric={metric}&customerRef={customer}&at={at}");
        return counters["counters"]!.AsArray().FirstOrDefault();
    }

    /// <summary>Over all its periods: the turn of a month may lie between events.</summary>
    private Task UntilSumsAsync(string metric, string sum) => EmbeddedSystem.UntilAsync(
        async () => (await _system.GetAsync($"/v1/counters?tenantId={Tenant}&metric={metric}"))["counters"]!.AsArray()
            .Sum(counter => decimal.Parse(counter!["sum"]!.ToJsonString(), CultureInfo.InvariantCulture)).ToString(CultureInfo.InvariantCulture) == sum,
        $"{metric} sums up to {sum}");

    private Task UntilSumAsync(string metric, DateTimeOffset moment, string customer, string sum) => EmbeddedSystem.UntilAsync(
        async () => (await CounterAsync(metric, moment, customer))?["sum"]?.ToJsonString() == sum, $"{metric} sums up to {sum}");
}
