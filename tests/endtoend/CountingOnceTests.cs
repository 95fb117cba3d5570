using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>What is sent is counted exactly once, over REST, through every service.</summary>
public sealed class CountingOnceTests : IAsyncLifetime
{
    private const string Tenant = "your-tenant-id";
    private EmbeddedSystem _system = null!;

    public async ValueTask InitializeAsync() => _system = await EmbeddedSystem.StartAsync();

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    [Fact]
    public async Task Ingest_SameKeyTwice_CountsOnceAndSaysDuplicate()
    {
        var usage = Event("api_calls", "5", "req_1");
        var first = await _system.IngestAsync(usage);
        var second = await _system.IngestAsync(usage);

        Assert.Equal("accepted", (string)first["results"]![0]!["status"]!);
        Assert.Equal("duplicate", (string)second["results"]![0]!["status"]!);
        await _system.UntilCountedAsync(Tenant);
        Assert.Equal("5", await _system.CurrentAsync(Tenant, "cus_1", "api_calls"));
        var metrics = await _system.Rest.GetStringAsync(new Uri("/metrics", UriKind.Relative));
        Assert.Contains("events_ingested_total{", metrics, StringComparison.Ordinal);
        Assert.Contains("events_duplicate_total{", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ingest_SameKeyOtherBody_IsAConflictAndTheFirstStands()
    {
        await _system.IngestAsync(Event("seats", "5", "same"));
        var second = await _system.IngestAsync(Event("seats", "6", "same"));

        Assert.Equal("conflict", (string)second["results"]![0]!["status"]!);
        await _system.UntilCountedAsync(Tenant);
        Assert.Equal("5", await _system.CurrentAsync(Tenant, "cus_1", "seats"));
    }

    [Fact]
    public async Task Ingest_DecimalFractions_AreExact()
    {
        await _system.IngestAsync(Event("exact", "0.1", "a"), Event("exact", "0.2", "b"), Event("great", "999999999999.999999", "c"));
        await _system.UntilCountedAsync(Tenant);

        Assert.Equal("0.3", await _system.CurrentAsync(Tenant, "cus_1", "exact"));
        Assert.Equal("999999999999.999999", await _system.CurrentAsync(Tenant, "cus_1", "great"));
    }

    [Fact]
    public async Task Ingest_NumberAndTextOfTheSameQuantity_AreTheSameEvent()
    {
        var time = Now();
        var asText = $$"""{"events":[{"tenantId":"{{Tenant}}","metric":"m","customerRef":"cus_1","quantity":"2.50","ts":"{{time}}","idempotencyKey":"k"}]}""";
        var asNumber = asText.Replace("\"2.50\"", "2.5", StringComparison.Ordinal);
        await PostAsync(asText);
        var second = await PostAsync(asNumber);

        Assert.Equal("duplicate", (string)second["results"]![0]!["status"]!);
    }

    [Fact]
    public async Task Ingest_EventOlderThanTheWindow_IsAcceptedHeldAndListed()
    {
        var old = TimeProvider.System.GetUtcNow().AddHours(-49).ToString("O", CultureInfo.InvariantCulture);
        var result = await _system.IngestAsync(Event("slow", "7", "late-1", old));
        await _system.UntilCountedAsync(Tenant);

        Assert.Equal("accepted", (string)result["results"]![0]!["status"]!);
        Assert.True((bool)result["results"]![0]!["late"]!);
        var listed = await _system.GetAsync($"/v1/events?tenantId={Tenant}&metric=slow&late=true");
        Assert.Equal("late-1", (string)listed["events"]!.AsArray().Single()!["id"]!);
        var counters = await _system.GetAsync($"/v1/counters?tenantId={Tenant}&metric=slow");
        Assert.Empty(counters["counters"]!.AsArray());
        Assert.Contains(
            "events_late_total{", await _system.Rest.GetStringAsync(new Uri("/metrics", UriKind.Relative)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Restart_OnTheSameData_GoesOnWhereItStopped()
    {
        var before = Event("kept", "3", "before");
        await _system.IngestAsync(before);
        _system = await _system.RestartAsync();
        var again = await _system.IngestAsync(before, Event("kept", "4", "after"));
        await _system.UntilCountedAsync(Tenant);

        Assert.Equal(["duplicate", "accepted"], Statuses(again));
        Assert.Equal("7", await _system.CurrentAsync(Tenant, "cus_1", "kept"));
    }

    private static IEnumerable<string> Statuses(JsonNode response) =>
        response["results"]!.AsArray().Select(result => (string)result!["status"]!);

    private async Task<JsonNode> PostAsync(string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await _system.Rest.PostAsync(new Uri("/v1/events/ingest", UriKind.Relative), content);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
    }

    private static object Event(string metric, string quantity, string key, string? time = null) => new
    {
        tenantId = Tenant, metric, customerRef = "cus_1", quantity, ts = time ?? Now(), idempotencyKey = key,
    };

    private static string Now() => TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
