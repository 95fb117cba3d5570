using System.Text;
using Microsoft.AspNetCore.Http;
using StripeMeter.LocalDapr.Tests.Kit;

namespace StripeMeter.LocalDapr.Tests.PubSub;

public sealed class BulkTests
{
    private readonly Inbox _inbox = new();
    private readonly Inbox _dead = new();

    private Task<TestApp> SubscribeAsync(TestGroup group, string topic = "lasting", string? deadLetterTopic = null,
        string route = "/events", int? port = null) => group.AddAppAsync(app =>
    {
        app.Port = port ?? app.Port;
        app.Endpoints = endpoints =>
        {
            var bulk = new { enabled = true, maxMessagesCount = 100, maxAwaitDurationMs = 20 };
            Inbox.MapSubscribe(
                endpoints,
                new { pubsubname = TestGroup.PubSub, topic, route, deadLetterTopic, bulkSubscribe = bulk },
                new { pubsubname = TestGroup.PubSub, topic = "dead", route = "/dead", deadLetterTopic = (string?)null,
                    bulkSubscribe = bulk });
            _inbox.MapBulk(endpoints, "/events");
            _dead.MapBulk(endpoints, "/dead");
        };
    });

    private static async Task PublishAsync(TestGroup group, string topic, params string[] texts)
    {
        using var client = group.Client();
        var answer = await client.BulkPublishEventAsync(TestGroup.PubSub, topic, [.. texts.Select(Encoding.UTF8.GetBytes)]);
        Assert.Empty(answer.FailedEntries);
    }

    [Theory]
    [InlineData("fleeting")]
    [InlineData("lasting")]
    public async Task BulkPublish_OctetStreams_ArriveInOrderInBatches(string topic)
    {
        await using var group = await TestGroup.StartAsync();
        await SubscribeAsync(group, topic);
        var sent = Enumerable.Range(0, 250).Select(static number => $"event {number}").ToArray();

        await PublishAsync(group, topic, sent);

        await Patience.UntilAsync(() => _inbox.Received.Count >= sent.Length, "all events");
        Assert.Equal(sent, _inbox.Texts);
        Assert.All(_inbox.Received.GroupBy(static received => received.Request), static batch => Assert.InRange(batch.Count(), 1, 100));
        var cloudEvent = _inbox.Received[0].Event;
        Assert.Equal("application/octet-stream", cloudEvent.GetProperty("datacontenttype").GetString());
        Assert.Equal("app", cloudEvent.GetProperty("source").GetString());
        Assert.Equal("com.dapr.event.sent", cloudEvent.GetProperty("type").GetString());
        Assert.Equal(topic, cloudEvent.GetProperty("topic").GetString());
    }

    [Fact]
    public async Task Retry_WithPolicy_ComesAgainAlone()
    {
        await using var group = await TestGroup.StartAsync(static options =>
            options with { Resources = Policies.WithInboundRetry(TestGroup.Resources, maximumRetries: -1) });
        _inbox.Answer = received => Inbox.TextOf(received.Event) == "b" && received.Request < 3 ? "RETRY" : "SUCCESS";
        await SubscribeAsync(group);

        await PublishAsync(group, "lasting", "a", "b", "c");

        await Patience.UntilAsync(() => _inbox.Received.Count >= 5, "the retries");
        Assert.Equal(["a", "b", "c", "b", "b"], _inbox.Texts);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("WHATEVER")]
    public async Task MissingOrUnknownStatus_IsRetried(string? status)
    {
        await using var group = await TestGroup.StartAsync(static options =>
            options with { Resources = Policies.WithInboundRetry(TestGroup.Resources, maximumRetries: -1) });
        _inbox.Answer = received => Inbox.TextOf(received.Event) == "b" && received.Request == 1 ? status : "SUCCESS";
        await SubscribeAsync(group);

        await PublishAsync(group, "lasting", "a", "b");

        await Patience.UntilAsync(() => _inbox.Received.Count >= 3, "the retry");
        Assert.Equal(["a", "b", "b"], _inbox.Texts);
    }

    [Fact]
    public async Task UnreadableAnswer_RetriesAll()
    {
        await using var group = await TestGroup.StartAsync(static options =>
            options with { Resources = Policies.WithInboundRetry(TestGroup.Resources, maximumRetries: 1) });
        _inbox.Result = Results.Text("fine");
        await SubscribeAsync(group);

        await PublishAsync(group, "lasting", "a", "b");

        await Patience.UntilAsync(() => _inbox.Received.Count >= 4, "the retry");
        Assert.Equal(["a", "b", "a", "b"], _inbox.Texts);
    }

    [Fact]
    public async Task Retry_WithoutPolicy_GoesToTheDeadLetterTopicAtOnce()
    {
        await using var group = await TestGroup.StartAsync();
        _inbox.Answer = static received => Inbox.TextOf(received.Event) == "b" ? "RETRY" : "SUCCESS";
        await SubscribeAsync(group, deadLetterTopic: "dead");

        await PublishAsync(group, "lasting", "a", "b", "c");

        await Patience.UntilAsync(() => _dead.Received.Count == 1, "the dead letter");
        Assert.Equal(["b"], _dead.Texts);
        Assert.Equal(["a", "b", "c"], _inbox.Texts);
        Assert.Equal("lasting", _dead.Received[0].Event.GetProperty("topic").GetString());
    }

    [Fact]
    public async Task Retry_WithoutPolicyAndDeadLetterTopic_IsLostInStrictMode()
    {
        await using var group = await TestGroup.StartAsync();
        _inbox.Answer = static received => Inbox.TextOf(received.Event) == "b" ? "RETRY" : "SUCCESS";
        await SubscribeAsync(group);

        await PublishAsync(group, "lasting", "b");
        await Patience.UntilAsync(() => _inbox.Texts.Contains("b"), "the event");
        // Deliveries of one subscription follow each other, so the next one tells that the queue is done with the one before.
        await PublishAsync(group, "lasting", "after");
        await Patience.UntilAsync(() => _inbox.Texts.Contains("after"), "the next event");
        await group.RestartSidecarsAsync();
        await PublishAsync(group, "lasting", "end");

        await Patience.UntilAsync(() => _inbox.Texts.Contains("end"), "the last event");
        // The restart may have cut off the answer about "after", which then comes again.
        Assert.Equal(["b", "after", "end"], _inbox.Texts.Distinct());
        Assert.Single(_inbox.Texts, "b");
    }

    [Fact]
    public async Task Retry_WithoutPolicyAndWithoutStrictMode_ComesAgain()
    {
        await using var group = await TestGroup.StartAsync(static options => options with { Strict = false });
        _inbox.Answer = static received => received.Request == 1 ? "RETRY" : "SUCCESS";
        await SubscribeAsync(group);

        await PublishAsync(group, "lasting", "b");

        await Patience.UntilAsync(() => _inbox.Received.Count == 2, "the redelivery");
    }

    [Fact]
    public async Task Retries_Exhausted_ComponentRequeues_ComeAgain()
    {
        await using var group = await TestGroup.StartAsync(static options => options with
        {
            Resources = Policies.WithInboundRetry(Policies.WithMetadata(options.Resources, "requeueInFailure", "true"), maximumRetries: 0),
        });
        _inbox.Answer = static received => received.Request == 1 ? "RETRY" : "SUCCESS";
        await SubscribeAsync(group);

        await PublishAsync(group, "lasting", "b");

        await Patience.UntilAsync(() => _inbox.Received.Count == 2, "the redelivery");
    }

    [Fact]
    public async Task Drop_GoesToTheDeadLetterTopic()
    {
        await using var group = await TestGroup.StartAsync(static options =>
            options with { Resources = Policies.WithInboundRetry(TestGroup.Resources, maximumRetries: -1) });
        _inbox.Answer = static received => Inbox.TextOf(received.Event) == "b" ? "DROP" : "SUCCESS";
        await SubscribeAsync(group, deadLetterTopic: "dead");

        await PublishAsync(group, "lasting", "a", "b");

        await Patience.UntilAsync(() => _dead.Received.Count == 1, "the dead letter");
        Assert.Equal(["b"], _dead.Texts);
    }

    [Fact]
    public async Task Retries_Exhausted_GoToTheDeadLetterTopic()
    {
        await using var group = await TestGroup.StartAsync(static options =>
            options with { Resources = Policies.WithInboundRetry(TestGroup.Resources, maximumRetries: 2) });
        _inbox.Answer = static _ => "RETRY";
        await SubscribeAsync(group, deadLetterTopic: "dead");

        await PublishAsync(group, "lasting", "b");

        await Patience.UntilAsync(() => _dead.Received.Count == 1, "the dead letter");
        Assert.Equal(["b", "b", "b"], _inbox.Texts);
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 1)]
    public async Task NotFound_IsAcknowledgedAndLost_InStrictModeOnly(bool strict, int deadLetters)
    {
        await using var group = await TestGroup.StartAsync(options => options with { Strict = strict });
        _inbox.Result = Results.NotFound();
        await SubscribeAsync(group, deadLetterTopic: "dead");

        await PublishAsync(group, "lasting", "b");
        await Patience.UntilAsync(() => _inbox.Received.Count == 1 && _dead.Received.Count == deadLetters, "the delivery");
        _inbox.Result = null;
        await PublishAsync(group, "lasting", "after");
        await Patience.UntilAsync(() => _inbox.Texts.Contains("after"), "the next event");

        Assert.Equal(["b", "after"], _inbox.Texts);
        Assert.Equal(deadLetters, _dead.Received.Count);
    }

    [Fact]
    public async Task DurableTopic_AppDown_DeliversAfterItsReturn()
    {
        await using var group = await TestGroup.StartAsync(static options =>
            options with { Resources = Policies.WithInboundRetry(TestGroup.Resources, maximumRetries: -1) });
        var app = await SubscribeAsync(group);
        await app.DisposeAsync();
        await PublishAsync(group, "lasting", "while down");

        await SubscribeAsync(group, port: app.Port);

        await Patience.UntilAsync(() => _inbox.Texts.Contains("while down"), "the event");
    }

    [Theory]
    [InlineData("lasting", 1)]
    [InlineData("fleeting", 0)]
    public async Task SidecarRestart_UnacknowledgedEvents_ComeAgainFromDurableTopicsOnly(string topic, int expected)
    {
        await using var group = await TestGroup.StartAsync(static options =>
            options with { Resources = Policies.WithInboundRetry(TestGroup.Resources, maximumRetries: -1) });
        _inbox.Answer = static _ => "RETRY";
        await SubscribeAsync(group, topic);
        await PublishAsync(group, topic, "kept");
        await Patience.UntilAsync(() => _inbox.Received.Count > 0, "the first delivery");

        await group.RestartSidecarsAsync();
        var before = _inbox.Received.Count;
        _inbox.Answer = static _ => "SUCCESS";
        await PublishAsync(group, topic, "marker");
        await Patience.UntilAsync(() => _inbox.Texts.Contains("marker"), "the marker");

        Assert.InRange(_inbox.Texts.Skip(before).Count(static text => text == "kept"), expected, expected == 0 ? 0 : int.MaxValue);
    }

    [Fact]
    public async Task DuplicateOnRequest_ArrivesTwice()
    {
        await using var group = await TestGroup.StartAsync();
        await SubscribeAsync(group);
        group.Host.Faults.DuplicateDeliveries("lasting");

        await PublishAsync(group, "lasting", "a");

        await Patience.UntilAsync(() => _inbox.Received.Count == 2, "the duplicate");
        Assert.Equal(["a", "a"], _inbox.Texts);
    }

    [Fact]
    public async Task ReorderOnRequest_ArrivesBackwards()
    {
        await using var group = await TestGroup.StartAsync();
        await SubscribeAsync(group);
        group.Host.Faults.ReorderDeliveries("lasting");

        await PublishAsync(group, "lasting", "a", "b", "c");

        await Patience.UntilAsync(() => _inbox.Received.Count == 3, "the events");
        Assert.Equal(["c", "b", "a"], _inbox.Texts);
    }
}
