using System.Text;
using StripeMeter.LocalDapr.Tests.Kit;

namespace StripeMeter.LocalDapr.Tests.PubSub;

public sealed class BulkTests
{
    private readonly Inbox _inbox = new();

    private Task<TestApp> SubscribeAsync(TestGroup group, string topic, int maximumMessages = 100, string? deadLetterTopic = null) => group.AddAppAsync(app => app.Endpoints = endpoints =>
    {
        Inbox.MapSubscribe(endpoints, new
        {
            pubsubname = TestGroup.PubSub, topic, route = "/events", deadLetterTopic,
            bulkSubscribe = new { enabled = true, maxMessagesCount = maximumMessages, maxAwaitDurationMs = 20 },
        });
        _inbox.MapBulk(endpoints, "/events");
    });

    [Theory]
    [InlineData("fleeting")]
    [InlineData("lasting")]
    public async Task BulkPublish_OctetStreams_ArriveInOrderInBatches(string topic)
    {
        await using var group = await TestGroup.StartAsync();
        await SubscribeAsync(group, topic);
        using var client = group.Client();
        var sent = Enumerable.Range(0, 250).Select(static number => $"event {number}").ToList();

        var answer = await client.BulkPublishEventAsync(TestGroup.PubSub, topic, [.. sent.Select(Encoding.UTF8.GetBytes)]);

        Assert.Empty(answer.FailedEntries);
        await Patience.UntilAsync(() => _inbox.Received.Count >= sent.Count, "all events");
        Assert.Equal(sent, _inbox.Texts);
        Assert.All(_inbox.Received.GroupBy(static received => received.Request), static batch => Assert.InRange(batch.Count(), 1, 100));
        Assert.InRange(_inbox.Requests, 3, 10);
        var cloudEvent = _inbox.Received[0].Event;
        Assert.Equal("application/octet-stream", cloudEvent.GetProperty("datacontenttype").GetString());
        Assert.Equal("app", cloudEvent.GetProperty("source").GetString());
        Assert.Equal("com.dapr.event.sent", cloudEvent.GetProperty("type").GetString());
        Assert.Equal(topic, cloudEvent.GetProperty("topic").GetString());
    }
}
