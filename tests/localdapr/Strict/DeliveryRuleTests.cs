using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using StripeMeter.LocalDapr.Tests.Kit;
using StripeMeter.LocalDapr.Tests.PubSub;

namespace StripeMeter.LocalDapr.Tests.Strict;

public sealed class DeliveryRuleTests
{
    private readonly Inbox _inbox = new();

    private Task<TestApp> SubscribeAsync(TestGroup group) => group.AddAppAsync(app => app.Endpoints = endpoints =>
    {
        Inbox.MapSubscribe(endpoints,
            new { pubsubname = TestGroup.PubSub, topic = "lasting", route = "/events",
            bulkSubscribe = new { enabled = true, maxAwaitDurationMs = 10 } });
        _inbox.MapBulk(endpoints, "/events");
        endpoints.MapGet("/fat", (HttpResponse response) =>
        {
            response.Headers["x-fat"] = new string('x', 5000);
            return Results.Ok();
        });
    });

    [Theory]
    [InlineData(true, "9007199254740992")]
    [InlineData(false, "9007199254740993")]
    public async Task LargeIntegers_InBulkDeliveries_AreRounded_InStrictModeOnly(bool strict, string expected)
    {
        await using var group = await TestGroup.StartAsync(options => options with { Strict = strict });
        await SubscribeAsync(group);
        using var client = group.Client();

        await client.PublishEventAsync(TestGroup.PubSub, "lasting", 9007199254740993L);

        await Patience.UntilAsync(() => _inbox.Received.Count == 1, "the event");
        Assert.Equal(expected, _inbox.Received[0].Event.GetProperty("data").GetRawText());
    }

    [Theory]
    [InlineData(true, HttpStatusCode.InternalServerError)]
    [InlineData(false, HttpStatusCode.OK)]
    public async Task ResponseHeaders_OverTheLimit_AreRefused_InStrictModeOnly(bool strict, HttpStatusCode expected)
    {
        await using var group = await TestGroup.StartAsync(options => options with { Strict = strict });
        await SubscribeAsync(group);
        using var http = new HttpClient();

        using var answer = await http.GetAsync(new Uri($"{group.Host.Sidecars["app"].HttpEndpoint}/v1.0/invoke/app/method/fat"));

        Assert.Equal(expected, answer.StatusCode);
    }
}
