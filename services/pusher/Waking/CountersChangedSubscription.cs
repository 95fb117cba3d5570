using Dapr;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Pusher.Raising;

namespace StripeMeter.Pusher.Waking;

/// <summary>Wakes the sweep when counters changed. What changed the sweep reads itself, so the message is not even read.</summary>
internal static class CountersChangedSubscription
{
    private const string Route = "/subscriptions/counters-changed";

    public static void MapCountersChanged(this WebApplication app) =>
        app.MapPost(Route, Handle)
            .WithTopic(new TopicOptions { PubsubName = DaprNames.PubSub, Name = DaprNames.CountersChangedTopic });

    private static IResult Handle(RaisingService raising)
    {
        raising.Wake();
        return Results.Ok();
    }
}
