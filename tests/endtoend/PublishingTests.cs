using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using StripeMeter.V1;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>Events published to the topic <c>usage.events</c> through the sidecar of publishers.</summary>
public sealed class PublishingTests : IClassFixture<RefusalTests.Fixture>, IDisposable
{
    private readonly EmbeddedSystem _system;
    private readonly HttpClient _sidecar;

    public PublishingTests(RefusalTests.Fixture fixture)
    {
        _system = fixture.System;
        _sidecar = new HttpClient { BaseAddress = new Uri(_system.Publisher.HttpEndpoint) };
    }

    public void Dispose() => _sidecar.Dispose();

    [Fact]
    public async Task Publish_TheSameEventTwice_CountsItOnce()
    {
        var usage = Event("pub-json", "123456789012345.123456789012", "once");
        await PublishAsync(usage);
        await PublishAsync(usage);
        await PublishAsync($$"""{"events":[{{Event("pub-json", "0.000000000001", "a")}},{{Event("pub-json", "1", "b")}}]}""");

        await UntilCurrentAsync("pub-json", "123456789012346.123456789013");
        Assert.Equal(3, (int)(await _system.GetAsync("/v1/events?tenantId=pub-json"))["total"]!);
    }

    /// <summary>A sidecar makes a new id for each publish: taken as a key, it would count a repeated publish twice.</summary>
    [Fact]
    public async Task Publish_WithoutKey_TwiceInASidecarsEnvelope_CountsItOnce()
    {
        var usage = $$"""{"tenantId":"pub-derived","metric":"m","customerRef":"cus_1","quantity":1,"ts":"{{Now()}}"}""";
        await PublishAsync(usage, metadata: "?metadata.cloudevent.type=m");
        await PublishAsync(usage, metadata: "?metadata.cloudevent.type=m&metadata.cloudevent.id=other");
        await PublishAsync(Event("pub-derived", "2", "behind"));

        await UntilCurrentAsync("pub-derived", "3");
        Assert.Equal(2, (int)(await _system.GetAsync("/v1/events?tenantId=pub-derived"))["total"]!);
    }

    [Fact]
    public async Task Publish_APublishersOwnCloudEvent_HasItsSourceAndIdForKey()
    {
        var cloudEvent = $$"""
            {"specversion":"1.0","id":"7","source":"/shop","type":"m","subject":"cus_1","time":"{{Now()}}","tenantid":"pub-ce",
             "data": {"quantity":2.5} }
            """;
        await PublishAsync(cloudEvent, "application/cloudevents+json");
        await PublishAsync(cloudEvent, "application/cloudevents+json");

        await UntilCurrentAsync("pub-ce", "2.5");
        var events = (await _system.GetAsync("/v1/events?tenantId=pub-ce"))["events"]!.AsArray();
        Assert.Equal("/shop 7", (string)Assert.Single(events)!["id"]!);
    }

    [Fact]
    public async Task Publish_Protobuf_IsTakenAsACallWouldBe()
    {
        var request = new IngestEventsRequest { IdempotencyKey = "batch" };
        request.Events.Add([Wire("pub-proto", "1"), Wire("pub-proto", "0.5")]);
        using var content = new ByteArrayContent(request.ToByteArray());
        content.Headers.ContentType = new("application/octet-stream");
        await PostAsync(content, "");

        await UntilCurrentAsync("pub-proto", "1.5");
        var events = (await _system.GetAsync("/v1/events?tenantId=pub-proto"))["events"]!.AsArray();
        Assert.Equal(["batch:0", "batch:1"], events.Select(item => (string)item!["id"]!).Order());
    }

    [Fact]
    public async Task Publish_GoodAndBadInOneMessage_CountsTheGoodAndListsTheBad()
    {
        var ahead = TimeProvider.System.GetUtcNow().AddMinutes(61).ToString("O", CultureInfo.InvariantCulture);
        await PublishAsync($$"""{"events":[{{Event("pub-bad", "1", "good")}},{{Event("pub-bad", "-1", "bad")}},{{Event("pub-bad", "5", "ahead", ahead)}}]}""");

        await UntilCurrentAsync("pub-bad", "1");
        var letters = await UntilLettersAsync("pub-bad", 2);
        Assert.Equal(["quantity", "ts"], letters.Select(letter => (string)letter!["field"]!).Order());
        var bad = letters.Single(letter => (string)letter!["field"]! == "quantity")!;
        Assert.Equal("json", (string)bad["format"]!);
        Assert.Equal("-1", JsonNode.Parse((string)bad["content"]!)!["quantity"]!.ToJsonString());

        var again = await RedriveAsync("pub-bad", (string)bad["id"]!, "none");
        Assert.Equal(["error", "error"], again.Select(result => (string)result!["status"]!));
        Assert.Equal(["quantity", "ids"], again.Select(result => (string)result!["field"]!));
        using var deleted = await _system.Rest.DeleteAsync(new Uri($"/v1/events/dead-letters/{bad["id"]}?tenantId=pub-bad", UriKind.Relative));
        using var gone = await _system.Rest.DeleteAsync(new Uri($"/v1/events/dead-letters/{bad["id"]}?tenantId=pub-bad", UriKind.Relative));
        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.NotFound), (deleted.StatusCode, gone.StatusCode));
        Assert.Single(await UntilLettersAsync("pub-bad", 1));
    }

    /// <summary>A letter whose fault has passed: its event stands in the ledger by now.</summary>
    [Fact]
    public async Task Redrive_AnEventThatIsTakenNow_IsNoLongerListed()
    {
        // At most an hour ahead is allowed: what is refused now is taken as soon as the hour has begun.
        var ahead = TimeProvider.System.GetUtcNow().AddMinutes(60).AddSeconds(3).ToString("O", CultureInfo.InvariantCulture);
        await PublishAsync(Event("pub-redrive", "4", "k", ahead));
        var letter = Assert.Single(await UntilLettersAsync("pub-redrive", 1))!;

        await EmbeddedSystem.UntilAsync(
            async () => (string)(await RedriveAsync("pub-redrive", (string)letter["id"]!))[0]!["status"]! == "accepted",
            "the event is taken");

        Assert.Empty(await UntilLettersAsync("pub-redrive", 0));
        await UntilCurrentAsync("pub-redrive", "4");
    }

    [Theory]
    [InlineData("application/json", "[1]", "data")]
    [InlineData("text/plain", "no event", "data")]
    [InlineData("application/octet-stream", "no protobuf", "data")]
    [InlineData("application/json", """{"events":[]}""", "events")]
    public async Task Publish_WhatIsNoEvent_IsListedForTheOperator(string contentType, string message, string field)
    {
        await PublishAsync(message, contentType);

        await EmbeddedSystem.UntilAsync(
            async () => (await LettersAsync("unattributed")).Any(letter =>
                (string)letter!["format"]! == "unreadable" && (string)letter["field"]! == field
                && ((string)letter["content"]!).Contains(contentType, StringComparison.Ordinal)),
            "the message is listed");
    }

    /// <summary>Ten messages are delivered at a time, and ingest takes the events of one: the others are delivered again until they are taken.</summary>
    [Fact]
    public async Task Publish_FasterThanIngestTakes_LosesNothingAndCountsItOnce()
    {
        const int Messages = 20;
        const int EventsPerMessage = 1_000;
        await using var small = await EmbeddedSystem.StartAsync(settings: new() { ["MAX_PENDING_EVENTS"] = "1000", ["LOG_LEVEL"] = "Error" });
        using var sidecar = new HttpClient { BaseAddress = new Uri(small.Publisher.HttpEndpoint) };
        await Task.WhenAll(Enumerable.Range(0, Messages).Select(async message =>
        {
            var request = new IngestEventsRequest { IdempotencyKey = $"m{message}" };
            request.Events.AddRange(Enumerable.Range(0, EventsPerMessage).Select(_ => Wire("pub-many", "1")));
            using var content = new ByteArrayContent(request.ToByteArray());
            content.Headers.ContentType = new("application/octet-stream");
            using var response = await sidecar.PostAsync(new Uri("/v1.0/publish/pubsub/usage.events", UriKind.Relative), content);
            Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        }));

        await EmbeddedSystem.UntilAsync(
            async () => await small.CurrentAsync("pub-many", "cus_1", "m") == "20000", "all that was published is counted, once");
        Assert.Empty((await small.GetAsync("/v1/events/dead-letters?tenantId=pub-many"))["deadLetters"]!.AsArray());
    }

    [Fact]
    public async Task Publish_ToAnInternalTopic_IsForbidden()
    {
        using var content = new StringContent("{}", Encoding.UTF8, "application/json");
        using var response = await _sidecar.PostAsync(new Uri("/v1.0/publish/pubsub/usage.appended", UriKind.Relative), content);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    private async Task PublishAsync(string message, string contentType = "application/json", string metadata = "")
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(message));
        content.Headers.ContentType = new(contentType);
        await PostAsync(content, metadata);
    }

    private async Task PostAsync(HttpContent content, string metadata)
    {
        using var response = await _sidecar.PostAsync(new Uri("/v1.0/publish/pubsub/usage.events" + metadata, UriKind.Relative), content);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
    }

    private Task UntilCurrentAsync(string tenant, string value) => EmbeddedSystem.UntilAsync(
        async () => await _system.CurrentAsync(tenant, "cus_1", "m") == value, $"{tenant} has used {value}");

    private async Task<JsonArray> LettersAsync(string tenant) =>
        (await _system.GetAsync($"/v1/events/dead-letters?tenantId={tenant}"))["deadLetters"]!.AsArray();

    private async Task<JsonArray> UntilLettersAsync(string tenant, int count)
    {
        await EmbeddedSystem.UntilAsync(async () => (await LettersAsync(tenant)).Count == count, $"{tenant} has {count} dead letters");
        return await LettersAsync(tenant);
    }

    private async Task<JsonArray> RedriveAsync(string tenant, params string[] ids)
    {
        var body = new JsonObject { ["tenantId"] = tenant, ["ids"] = new JsonArray([.. ids.Select(id => (JsonNode)id)]) };
        using var content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await _system.Rest.PostAsync(new Uri("/v1/events/dead-letters/redrive", UriKind.Relative), content);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!["results"]!.AsArray();
    }

    private static string Event(string tenant, string quantity, string key, string? time = null) =>
        $$"""{"tenantId":"{{tenant}}","metric":"m","customerRef":"cus_1","quantity":{{quantity}},"ts":"{{time ?? Now()}}","idempotencyKey":"{{key}}"}""";

    private static UsageEvent Wire(string tenant, string quantity) => new()
    {
        TenantId = tenant, Metric = "m", CustomerRef = "cus_1", Quantity = quantity,
        Timestamp = Timestamp.FromDateTimeOffset(TimeProvider.System.GetUtcNow()),
    };

    private static string Now() => TimeProvider.System.GetUtcNow().ToString("O", CultureInfo.InvariantCulture);
}
