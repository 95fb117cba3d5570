using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>Imports and backfill sessions over REST, down to the counters and back again.</summary>
public sealed class BackfillTests : IAsyncLifetime
{
    private const string Path = "/v1/events/backfill";
    private EmbeddedSystem _system = null!;

    public async ValueTask InitializeAsync() => _system = await EmbeddedSystem.StartAsync();

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    [Fact]
    public async Task Import_OfEvents_CountsOldOnesAndReportsEachBadRow()
    {
        await _system.IngestAsync(Event("inline", "1", "live", Old));
        var begun = await PostAsync(Path, new
        {
            tenantId = "inline", metric = "calls", periodStart = "2026-01-01", periodEnd = "2026-01-31", reason = "exporter was down",
            events = (object[])
            [
                new { customerRef = "cus_1", quantity = 2.5, ts = Old, idempotencyKey = "a" },
                new { customerRef = "cus_1", quantity = "0.5", ts = Old, idempotencyKey = "b" },
                new { customerRef = "cus_1", quantity = 1, ts = "2026-02-01T00:00:00Z", idempotencyKey = "outside" },
                new { customerRef = "cus_1", quantity = -1, ts = Old, idempotencyKey = "negative" },
                new { customerRef = "cus_1", quantity = 1, ts = Old, idempotencyKey = "live" },
                new { customerRef = "cus_1", quantity = 9, ts = Old, idempotencyKey = "live2", metric = "other" },
                new { customerRef = "cus_1", quantity = 0.5, ts = Old, idempotencyKey = "b" },
            ],
        });
        Assert.Equal("pending", (string)begun["status"]!);
        var id = (string)begun["operationId"]!;

        var done = await UntilAsync("inline", id, "completed");
        Assert.Equal((7, 3, 2, 2), ((int)done["totalEvents"]!, (int)done["failedEvents"]!, (int)done["acceptedEvents"]!, (int)done["duplicateEvents"]!));
        Assert.Equal(("calls", "2026-01-01", "2026-01-31"), ((string)done["metric"]!, (string)done["periodStart"]!, (string)done["periodEnd"]!));
        await UntilSumAsync("inline", "calls", "3");
        var problems = (await _system.GetAsync($"{Path}/{id}/problems?tenantId=inline"))["problems"]!.AsArray();
        Assert.Equal(["3 ts", "4 quantity", "6 metric"], problems.Select(problem => $"{problem!["row"]} {problem["field"]}"));
        Assert.All(await HeldAsync("inline"), held => Assert.Equal("live", (string)held!["eventKey"]!));
    }

    [Fact]
    public async Task Import_OfAZippedCsvFile_StreamsInAndCanBeTakenBack()
    {
        var csv = new StringBuilder("customerRef,quantity,ts,idempotencyKey\n");
        for (var row = 0; row < 1_234; row++)
            csv.Append(CultureInfo.InvariantCulture, $"cus_1,0.1,{Old},row-{row}\n");
        var begun = await UploadAsync(Zip(csv.ToString()), "text/csv", "gzip", "tenantId=files&metric=calls&reason=old+file");
        var id = (string)begun["operationId"]!;

        Assert.Equal(1_234, (int)(await UntilAsync("files", id, "completed"))["acceptedEvents"]!);
        await UntilSumAsync("files", "calls", "123.4");

        var reverted = await PostAsync($"{Path}/{id}/revert", new { tenantId = "files", note = "wrong file" });
        Assert.Contains("keys", (string)reverted["message"]!, StringComparison.Ordinal);
        await UntilAsync("files", id, "reverted");
        await UntilSumAsync("files", "calls", "0");
        var record = (await _system.GetAsync("/v1/events/row-7/explain?tenantId=files"))["record"]!;
        Assert.Equal(("excluded", id), ((string)record["standing"]!, (string)record["sessionId"]!));

        var again = await UploadAsync(Zip(csv.ToString()), "text/csv", "gzip", "tenantId=files&metric=calls&reason=again");
        var done = await UntilAsync("files", (string)again["operationId"]!, "completed");
        Assert.Equal((0, 1_234), ((int)done["acceptedEvents"]!, (int)done["revertedDuplicateEvents"]!));
    }

    [Fact]
    public async Task Import_OfAFileThatBreaksOff_CountsNothing()
    {
        var csv = $"customerRef,quantity,ts\ncus_1,1,{Old}\ncus_1,\"1,{Old}\n" + new string('x', 300_000);
        using var content = new StringContent(csv, Encoding.UTF8, "text/csv");
        using var answer = await _system.Rest.PostAsync(new Uri($"{Path}?tenantId=broken&metric=calls&reason=r", UriKind.Relative), content);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("a quote is left open", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await EmbeddedSystem.UntilAsync(
            async () => (string)(await _system.GetAsync($"{Path}?tenantId=broken"))["operations"]![0]!["status"]! == "failed", "the import has failed");
        var failed = (await _system.GetAsync($"{Path}?tenantId=broken&status=failed"));
        Assert.Equal(1, (int)failed["total"]!);
        Assert.Contains("quote", (string)failed["operations"]![0]!["errorMessage"]!, StringComparison.Ordinal);
        Assert.Equal(0, (int)(await _system.GetAsync("/v1/events?tenantId=broken"))["total"]!);
    }

    [Fact]
    public async Task Import_DryRun_SaysWhatWouldBe()
    {
        await _system.IngestAsync(Event("dry", "1", "a", Old));
        var lines = $$"""
            {"customerRef":"cus_1","quantity":1,"ts":"{{Old}}","idempotencyKey":"a"}
            {"customerRef":"cus_1","quantity":2,"ts":"{{Old}}","idempotencyKey":"b"}
            """;
        var begun = await UploadAsync(Encoding.UTF8.GetBytes(lines), "application/x-ndjson", null, "tenantId=dry&metric=calls&reason=r&dryRun=true");

        var done = await UntilAsync("dry", (string)begun["operationId"]!, "completed");

        Assert.Equal((1, 1), ((int)done["acceptedEvents"]!, (int)done["duplicateEvents"]!));
        Assert.Equal(1, (int)(await _system.GetAsync("/v1/events?tenantId=dry"))["total"]!);
    }

    [Fact]
    public async Task Session_FilledPreviewedCommittedReverted_CountsAtOnceAndNotAtAll()
    {
        await _system.IngestAsync(Event("staged", "1", "live", Recent));
        await _system.UntilCountedAsync("staged");
        var opened = await PostAsync($"{Path}/sessions", new { tenantId = "staged", metrics = (string[])["calls"], reason = "migration" });
        var (id, path) = ((string)opened["id"]!, $"{Path}/{opened["id"]}");
        Assert.Equal("open", (string)opened["status"]!);

        var answer = await PostAsync($"{path}/events?tenantId=staged", new
        {
            events = (object[])
            [
                Event("staged", "2", "s1", Recent), Event("staged", "2", "s1", Recent), Event("staged", "3", "s1", Recent), Event("staged", "1", "live", Recent),
                Event("other", "1", "s2", Recent), new { tenantId = "staged", metric = "calls", customerRef = "cus_1", quantity = true, ts = Recent },
            ],
        });
        Assert.Equal(
            ["accepted", "duplicate", "conflict", "accepted", "error", "error"], answer["results"]!.AsArray().Select(result => (string)result!["status"]!));
        Assert.Equal("1", await _system.CurrentAsync("staged", "cus_1", "calls"));

        var preview = await _system.GetAsync($"{path}/preview?tenantId=staged");
        Assert.Equal((1, 1), ((int)preview["accepted"]!, (int)preview["duplicates"]!));
        var change = Assert.Single(preview["changes"]!.AsArray())!;
        Assert.Equal(("2", "1"), (change["sumDelta"]!.ToJsonString(), change["currentSum"]!.ToJsonString()));

        Assert.Equal("processing", (string)(await PostAsync($"{path}/commit", new { tenantId = "staged" }))["status"]!);
        await UntilAsync("staged", id, "completed");
        Assert.True((bool)(await PostAsync($"{path}/commit", new { tenantId = "staged" }))["already"]!);
        await EmbeddedSystem.UntilAsync(async () => await _system.CurrentAsync("staged", "cus_1", "calls") == "3", "the session counts");
        using var closed = await _system.Rest.PostAsJsonAsync($"{path}/events?tenantId=staged", new { events = (object[])[Event("staged", "1", "s9", Recent)] });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, closed.StatusCode);

        await PostAsync($"{path}/revert", new { tenantId = "staged" });
        await UntilAsync("staged", id, "reverted");
        await EmbeddedSystem.UntilAsync(async () => await _system.CurrentAsync("staged", "cus_1", "calls") == "1", "the session is taken back");
    }

    [Fact]
    public async Task Commit_SystemStopsBeforeItIsDone_GoesOnAfterTheStart()
    {
        var opened = await PostAsync($"{Path}/sessions", new { tenantId = "restart", reason = "migration" });
        var path = $"{Path}/{opened["id"]}";
        for (var batch = 0; batch < 3; batch++)
        {
            var events = Enumerable.Range(0, 1_000).Select(number => Event("restart", "1", $"k{batch}-{number}", Recent)).ToArray();
            await PostAsync($"{path}/events?tenantId=restart", new { events });
        }

        await PostAsync($"{path}/commit", new { tenantId = "restart" });
        _system = await _system.RestartAsync();

        Assert.Equal(3_000, (int)(await UntilAsync("restart", (string)opened["id"]!, "completed"))["acceptedEvents"]!);
        await EmbeddedSystem.UntilAsync(async () => await _system.CurrentAsync("restart", "cus_1", "calls") == "3000", "all of it counts once");
    }

    [Fact]
    public async Task Backfill_BadRequests_NameTheFieldAndChangeNothing()
    {
        var good = new JsonObject { ["tenantId"] = "bad", ["metric"] = "m", ["periodStart"] = "2026-01-01", ["reason"] = "r" };
        (string Field, JsonNode? Value, string Problem, int Status)[] cases =
        [
            ("reason", null, "reason", 400), ("periodStart", "2026-13-01", "periodStart", 400), ("periodEnd", "2025-12-31", "periodEnd", 400),
            ("sourceUrl", "s3://bucket/key", "sourceUrl", 400), ("events", new JsonArray(), "events", 400), ("events", "x", "events", 400),
            ("csvData", new string('x', 1_048_600), "body", 413), ("surprise", 1, "surprise", 400), ("csvData", "a,b\n1,2\n", "body", 400),
        ];
        foreach (var (field, value, problem, status) in cases)
        {
            var body = good.DeepClone().AsObject();
            body[field] = value?.DeepClone();
            using var answer = await _system.Rest.PostAsJsonAsync(Path, body);
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True(status == (int)answer.StatusCode, $"{field}: {(int)answer.StatusCode} {text}");
            Assert.Contains(JsonNode.Parse(text)!["errors"]!.AsArray(), error => (string)error!["field"]! == problem);
        }

        Assert.Equal(0, (int)(await _system.GetAsync("/v1/events?tenantId=bad"))["total"]!);
        using var unnamed = await _system.Rest.GetAsync(new Uri(Path, UriKind.Relative));
        Assert.Equal(HttpStatusCode.BadRequest, unnamed.StatusCode);
    }

    [Fact]
    public async Task Backfill_OfAnotherTenant_IsNotFound()
    {
        var id = (string)(await PostAsync($"{Path}/sessions", new { tenantId = "mine", reason = "r" }))["id"]!;

        foreach (var path in (string[])["", "/problems", "/preview"])
        {
            using var read = await _system.Rest.GetAsync(new Uri($"{Path}/{id}{path}?tenantId=other", UriKind.Relative));
            Assert.Equal(HttpStatusCode.NotFound, read.StatusCode);
        }

        foreach (var step in (string[])["commit", "revert"])
        {
            using var decided = await _system.Rest.PostAsJsonAsync($"{Path}/{id}/{step}", new { tenantId = "other" });
            Assert.Equal(HttpStatusCode.NotFound, decided.StatusCode);
        }

        Assert.Equal(0, (int)(await _system.GetAsync($"{Path}?tenantId=other"))["total"]!);
        Assert.Equal("open", (string)(await _system.GetAsync($"{Path}/{id}?tenantId=mine"))["status"]!);
    }

    private const string Old = "2026-01-16T14:30:00Z";

    private static readonly string Recent = TimeProvider.System.GetUtcNow().ToString("O", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Open_WithAKey_IsTheSameSessionAgainAndRefusesAnotherBody()
    {
        var body = new { tenantId = "keyed", metrics = (string[])["calls"], reason = "exporter was down" };
        var first = await SendAsync($"{Path}/sessions", JsonContent.Create(body), "open-1", HttpStatusCode.Created);
        var again = await SendAsync($"{Path}/sessions", JsonContent.Create(body), "open-1", HttpStatusCode.Created);
        Assert.Equal((string)first["id"]!, (string)again["id"]!);
        await SendAsync($"{Path}/sessions", JsonContent.Create(body with { reason = "another" }), "open-1", HttpStatusCode.UnprocessableEntity);
        Assert.Equal(1, (int)(await _system.GetAsync($"{Path}?tenantId=keyed"))["total"]!);
    }

    [Fact]
    public async Task Import_WithAKey_CountsTheFileOnceRefusesAnotherAndListsWhatCameLive()
    {
        await _system.IngestAsync(Event("keyed-file", "1", "live", Old));
        var address = $"{Path}?tenantId=keyed-file&metric=calls&reason=once";
        var first = await SendAsync(address, Csv("live", "a"), "file-1", HttpStatusCode.OK);
        var id = (string)first["operationId"]!;
        await UntilAsync("keyed-file", id, "completed");

        var again = await SendAsync(address, Csv("live", "a"), "file-1", HttpStatusCode.OK);
        await SendAsync(address, Csv("live", "b"), "file-1", HttpStatusCode.UnprocessableEntity);

        Assert.Equal((id, "completed"), ((string)again["operationId"]!, (string)again["status"]!));
        Assert.Equal(1, (int)(await _system.GetAsync($"{Path}?tenantId=keyed-file"))["total"]!);
        var duplicate = Assert.Single((await _system.GetAsync($"{Path}/{id}/duplicates?tenantId=keyed-file"))["duplicates"]!.AsArray())!;
        Assert.Equal((1, "live"), ((int)duplicate["row"]!, (string)duplicate["idempotencyKey"]!));
        Assert.True((long)duplicate["position"]! > 0);
        Assert.Null(duplicate["sessionId"]);

        static HttpContent Csv(params string[] keys) => new StringContent(
            "customerRef,quantity,ts,idempotencyKey\n" + string.Concat(keys.Select(key => $"cus_1,1,{Old},{key}\n")), Encoding.UTF8, "text/csv");
    }

    private async Task<JsonNode> SendAsync(string address, HttpContent content, string key, HttpStatusCode expected)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = content, Headers = { { "Idempotency-Key", key } } };
        using var response = await _system.Rest.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == expected, $"{address} answered {(int)response.StatusCode}: {text}");
        return JsonNode.Parse(text)!;
    }

    private static object Event(string tenant, string quantity, string key, string ts) =>
        new { tenantId = tenant, metric = "calls", customerRef = "cus_1", quantity, ts, idempotencyKey = key };

    private async Task<JsonArray> HeldAsync(string tenant) => (await _system.GetAsync($"/v1/adjustments?tenantId={tenant}"))["adjustments"]!.AsArray();

    private Task<JsonNode> UntilAsync(string tenant, string id, string status) => UntilItIsAsync(
        () => _system.GetAsync($"{Path}/{id}?tenantId={tenant}"), backfill => (string)backfill["status"]! == status, $"the backfill is {status}");

    private static async Task<JsonNode> UntilItIsAsync(Func<Task<JsonNode>> read, Func<JsonNode, bool> condition, string what)
    {
        JsonNode? last = null;
        await EmbeddedSystem.UntilAsync(async () => condition(last = await read()), what);
        return last!;
    }

    private Task UntilSumAsync(string tenant, string metric, string sum) => EmbeddedSystem.UntilAsync(
        async () => (await _system.GetAsync($"/v1/counters?tenantId={tenant}&metric={metric}&at={Uri.EscapeDataString(Old)}"))["counters"]!
            .AsArray() is [{ } counter] && counter["sum"]!.ToJsonString() == sum,
        $"{metric} sums up to {sum}");

    private async Task<JsonNode> PostAsync(string address, object body)
    {
        using var response = await _system.Rest.PostAsJsonAsync(address, body);
        return await ReadAsync(response);
    }

    private async Task<JsonNode> UploadAsync(byte[] file, string type, string? encoding, string query)
    {
        using var content = new ByteArrayContent(file);
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        if (encoding is not null)
            content.Headers.ContentEncoding.Add(encoding);
        using var response = await _system.Rest.PostAsync(new Uri($"{Path}?{query}", UriKind.Relative), content);
        return await ReadAsync(response);
    }

    private static async Task<JsonNode> ReadAsync(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode}: {text}");
        return JsonNode.Parse(text)!;
    }

    private static byte[] Zip(string text)
    {
        using var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.Fastest))
            gzip.Write(Encoding.UTF8.GetBytes(text));
        return zipped.ToArray();
    }
}
