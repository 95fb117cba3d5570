using System.Net;
using System.Text;
using System.Text.Json;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using StripeMeter.LocalDapr.Resources;
using StripeMeter.LocalDapr.Tests.Kit;

namespace StripeMeter.LocalDapr.Tests.PubSub;

public sealed class SingleTests
{
    private readonly Inbox _inbox = new();
    private readonly Inbox _dead = new();

    private Task<TestApp> SubscribeAsync(TestGroup group, string? deadLetterTopic = null, object? metadata = null,
        string appId = "app") => group.AddAppAsync(
        app => app.Endpoints = endpoints =>
        {
            Inbox.MapSubscribe(
                endpoints,
                new { pubsubname = TestGroup.PubSub, topic = "lasting", routes = new { @default = "/events" }, deadLetterTopic, metadata },
                new { pubsubname = TestGroup.PubSub, topic = "dead", routes = new { @default = "/dead" },
                    deadLetterTopic = (string?)null, metadata = (object?)null });
            _inbox.MapSingle(endpoints, "/events");
            _dead.MapSingle(endpoints, "/dead");
        },
        appId);

    private static IEnumerable<string?> Members(JsonElement cloudEvent, params string[] names) =>
        names.Select(name => cloudEvent.GetProperty(name).GetString());

    private async Task<JsonElement> ReceiveOneAsync()
    {
        await Patience.UntilAsync(() => _inbox.Received.Count > 0, "the event");
        return _inbox.Received[0].Event;
    }

    [Fact]
    public async Task Json_ArrivesAsItWasSent_WithDaprsEnvelope()
    {
        await using var group = await TestGroup.StartAsync();
        await SubscribeAsync(group);
        using var client = group.Client();

        await client.PublishEventAsync(TestGroup.PubSub, "lasting", new { big = 9007199254740993L, text = "ä" });

        var cloudEvent = await ReceiveOneAsync();
        Assert.Equal("9007199254740993", cloudEvent.GetProperty("data").GetProperty("big").GetRawText());
        Assert.Equal("ä", cloudEvent.GetProperty("data").GetProperty("text").GetString());
        Assert.Equal(
            ["data", "datacontenttype", "id", "pubsubname", "source", "specversion", "time", "topic", "traceid", "traceparent",
                "tracestate", "type"],
            cloudEvent.EnumerateObject().Select(static member => member.Name));
        Assert.Equal(("1.0", "application/json"),
            (cloudEvent.GetProperty("specversion").GetString(), cloudEvent.GetProperty("datacontenttype").GetString()));
    }

    [Fact]
    public async Task Metadata_OverridesTheEnvelope()
    {
        await using var group = await TestGroup.StartAsync();
        await SubscribeAsync(group);
        using var client = group.Client();

        await client.PublishEventAsync(TestGroup.PubSub, "lasting", "x", new Dictionary<string, string>
        {
            ["cloudevent.id"] = "own-id", ["cloudevent.type"] = "own-type", ["cloudevent.source"] = "own-source",
                ["cloudevent.subject"] = "own-subject", ["cloudevent.traceparent"] = "own-trace",
        });

        var cloudEvent = await ReceiveOneAsync();
        Assert.Equal(
            ["own-id", "own-type", "own-source", "own-subject", "own-trace", "own-trace"],
            Members(cloudEvent, "id", "type", "source", "subject", "traceparent", "traceid"));
    }

    [Fact]
    public async Task OwnCloudEvent_IsTakenOver()
    {
        await using var group = await TestGroup.StartAsync();
        await SubscribeAsync(group);
        using var http = new HttpClient();
        using var content = new StringContent("""{"specversion":"1.0","id":"42","source":"me","type":"mine","data":{"a":1},"custom":"kept"}""", Encoding.UTF8, "application/cloudevents+json");

        using var answer = await http.PostAsync(new Uri($"{group.Host.Sidecars["app"].HttpEndpoint}/v1.0/publish/{TestGroup.PubSub}/lasting"), content);

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        var cloudEvent = await ReceiveOneAsync();
        Assert.Equal(
            ["42", "me", "mine", "kept", "lasting", TestGroup.PubSub],
            Members(cloudEvent, "id", "source", "type", "custom", "topic", "pubsubname"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task BinaryUnderAnotherContentType_IsCorruptedInStrictModeOnly(bool strict)
    {
        await using var group = await TestGroup.StartAsync(options => options with { Strict = strict });
        await SubscribeAsync(group);
        using var client = group.Client();

        await client.PublishByteEventAsync(TestGroup.PubSub, "lasting", new byte[] { 0x0a, 0xff, 0xfe }, "application/x-protobuf");

        var cloudEvent = await ReceiveOneAsync();
        if (strict)
            Assert.Equal("\n\uFFFD\uFFFD", cloudEvent.GetProperty("data").GetString());
        else
            Assert.Equal([0x0a, 0xff, 0xfe], cloudEvent.GetProperty("data_base64").GetBytesFromBase64());
    }

    [Fact]
    public async Task RawPayload_GetsAnotherRandomIdOnEachDelivery()
    {
        await using var group = await TestGroup.StartAsync(static options =>
            options with { Resources = Policies.WithInboundRetry(TestGroup.Resources, maximumRetries: -1) });
        _inbox.Answer = static received => received.Request == 1 ? "RETRY" : "SUCCESS";
        await SubscribeAsync(group, metadata: new { rawPayload = "true" });
        using var client = group.Client();

        await client.PublishByteEventAsync(TestGroup.PubSub, "lasting", "raw"u8.ToArray(), "application/octet-stream",
            new Dictionary<string, string> { ["rawPayload"] = "true" });

        await Patience.UntilAsync(() => _inbox.Received.Count == 2, "both deliveries");
        Assert.Equal(["raw", "raw"], _inbox.Texts);
        Assert.Equal(2, _inbox.Received.Select(static received => received.Event.GetProperty("id").GetString()).Distinct().Count());
    }

    [Fact]
    public async Task RetryAndDrop_FollowThePolicyAndTheDeadLetterTopic()
    {
        await using var group = await TestGroup.StartAsync(static options =>
            options with { Resources = Policies.WithInboundRetry(TestGroup.Resources, maximumRetries: 1) });
        _inbox.Answer = static received =>
            Inbox.TextOf(received.Event) switch { "again" => "RETRY", "bad" => "DROP", "odd" => "UNKNOWN", _ => "SUCCESS" };
        await SubscribeAsync(group, deadLetterTopic: "dead");
        using var client = group.Client();

        foreach (var text in new[] { "again", "bad", "odd", "good" })
            await client.PublishEventAsync(TestGroup.PubSub, "lasting", text);

        await Patience.UntilAsync(() => _dead.Received.Count == 3 && _inbox.Received.Count == 6, "all outcomes");
        Assert.Equal(["again", "bad", "odd"], _dead.Texts.Order());
    }

    public static TheoryData<IResult, int, int> Answers => new()
    {
        { Results.Ok(), 1, 0 },
        { Results.Text("anything"), 1, 0 },
        { Results.NotFound(), 1, 1 },
        { Results.StatusCode(500), 2, 1 },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task PlainAnswers_MeanWhatDaprTakesThemFor(IResult result, int deliveries, int deadLetters)
    {
        await using var group = await TestGroup.StartAsync(static options =>
            options with { Resources = Policies.WithInboundRetry(TestGroup.Resources, maximumRetries: 1) });
        _inbox.Result = result;
        await SubscribeAsync(group, deadLetterTopic: "dead");
        using var client = group.Client();

        await client.PublishEventAsync(TestGroup.PubSub, "lasting", "x");
        await Patience.UntilAsync(() => _inbox.Received.Count >= deliveries && _dead.Received.Count >= deadLetters, "the outcome");
        _inbox.Result = null;
        await client.PublishEventAsync(TestGroup.PubSub, "lasting", "marker");
        await Patience.UntilAsync(() => _inbox.Texts.Contains("marker"), "the marker");

        Assert.Equal((deliveries + 1, deadLetters), (_inbox.Received.Count, _dead.Received.Count));
    }

    [Fact]
    public async Task ExpiredEvent_IsNotDelivered()
    {
        await using var group = await TestGroup.StartAsync();
        await SubscribeAsync(group);
        using var http = new HttpClient();
        using var content = new StringContent("""{"specversion":"1.0","id":"1","source":"me","type":"t","data":"old","expiration":"2001-01-01T00:00:00Z"}""", Encoding.UTF8, "application/cloudevents+json");
        using var client = group.Client();

        using var answer = await http.PostAsync(new Uri($"{group.Host.Sidecars["app"].HttpEndpoint}/v1.0/publish/{TestGroup.PubSub}/lasting"), content);
        await client.PublishEventAsync(TestGroup.PubSub, "lasting", "new", new Dictionary<string, string> { ["ttlInSeconds"] = "600" });
        await Patience.UntilAsync(() => _inbox.Texts.Contains("new"), "the new event");

        Assert.Equal(["new"], _inbox.Texts);
    }

    [Fact]
    public async Task TwoApps_EachGetEverything()
    {
        await using var group = await TestGroup.StartAsync(null, "one", "two");
        var other = new SingleTests();
        await SubscribeAsync(group, appId: "one");
        await other.SubscribeAsync(group, appId: "two");
        using var client = group.Client("one");

        await client.PublishEventAsync(TestGroup.PubSub, "lasting", "x");

        await Patience.UntilAsync(() => _inbox.Received.Count == 1 && other._inbox.Received.Count == 1, "both");
    }

    [Fact]
    public async Task DeclarativeSubscription_IsServed()
    {
        var subscription = new TopicSubscription { PubSubName = TestGroup.PubSub, Topic = "declared", Route = "/events",
            IsDeclarative = true, Scopes = ["app"] };
        await using var group = await TestGroup.StartAsync(options =>
            options with { Resources = TestGroup.Resources with { Subscriptions = [subscription] } });
        await group.AddAppAsync(app => app.Endpoints = endpoints => _inbox.MapSingle(endpoints, "/events"));
        using var client = group.Client();

        await client.PublishEventAsync(TestGroup.PubSub, "declared", "x");

        Assert.Equal("x", Inbox.TextOf(await ReceiveOneAsync()));
        Assert.Equal("declared", (await client.GetMetadataAsync()).Id is "app" ? group.Host.Sidecars["app"]
            .Inner.Subscriptions.Single().Topic : "");
    }

    [Fact]
    public async Task UnknownPubSub_IsNotFound()
    {
        await using var group = await TestGroup.StartAsync();
        using var client = group.Client();
        using var http = new HttpClient();

        var failure = await Assert.ThrowsAnyAsync<Exception>(() => client.PublishEventAsync("nowhere", "topic", "x"));
        using var answer = await http.PostAsync(new Uri($"{group.Host.Sidecars["app"].HttpEndpoint}/v1.0/publish/nowhere/topic"),
            new StringContent("{}"));

        Assert.Equal(StatusCode.InvalidArgument, Assert.IsType<RpcException>(failure.InnerException).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("ERR_PUBSUB_NOT_FOUND", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("app=lasting;other=x", true)]
    [InlineData("other=x", true)]
    [InlineData("app=else", false)]
    [InlineData("app=", false)]
    public async Task PublishingScopes_AreHonoured(string scopes, bool allowed)
    {
        await using var group = await TestGroup.StartAsync(options =>
            options with { Resources = Policies.WithMetadata(options.Resources, "publishingScopes", scopes) });
        using var http = new HttpClient();

        using var answer = await http.PostAsync(new Uri($"{group.Host.Sidecars["app"].HttpEndpoint}/v1.0/publish/{TestGroup.PubSub}/lasting"), new StringContent("{}"));

        Assert.Equal(allowed ? HttpStatusCode.NoContent : HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Theory]
    [InlineData("subscriptionScopes", "app=else")]
    [InlineData("allowedTopics", "else")]
    public async Task SubscriptionOutOfScope_IsRefused(string name, string value)
    {
        await using var group = await TestGroup.StartAsync(options =>
            options with { Resources = Policies.WithMetadata(options.Resources, name, value) });

        var failure = await Assert.ThrowsAsync<LocalDaprConfigurationException>(() => SubscribeAsync(group));

        Assert.Contains("lasting", failure.Message, StringComparison.Ordinal);
        Assert.False(group.Host.Sidecars["app"].IsReady);
    }

    [Theory]
    [InlineData("lasting")]
    [InlineData("fleeting")]
    public async Task FullQueue_PublishingWaitsThenFails_AndGoesOnWhenThereIsRoom(string topic)
    {
        await using var group = await TestGroup.StartAsync(static options => options with
        {
            Limits = new LocalDaprLimits { DurableTopicMessages = 2, MemoryTopicMessages = 2, UnacknowledgedMessages = 1,
                PublishWait = TimeSpan.FromMilliseconds(100) },
        });
        var log = new Actors.ActorLog();
        await group.AddAppAsync(app => app.Endpoints = endpoints =>
        {
            Inbox.MapSubscribe(endpoints, new { pubsubname = TestGroup.PubSub, topic, route = "/slow" });
            Microsoft.AspNetCore.Builder.EndpointRouteBuilderExtensions.MapPost(endpoints, "/slow", async () =>
            {
                await log.Gate("open");
                log.Write("done");
            });
        });
        using var client = group.Client();
        var published = 0;

        var failure = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            for (; published < 10; published++)
                await client.PublishEventAsync(TestGroup.PubSub, topic, "x");
        });

        Assert.Equal(StatusCode.ResourceExhausted, Assert.IsType<RpcException>(failure.InnerException).StatusCode);
        Assert.InRange(published, 2, 4);
        log.Open("open");
        await Patience.UntilAsync(() => log.Lines.Count == published, "everything that was taken");
        await client.PublishEventAsync(TestGroup.PubSub, topic, "x");
        await Patience.UntilAsync(() => log.Lines.Count == published + 1, "the one after");
    }
}
