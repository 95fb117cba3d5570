using System.Text.Json.Serialization;
using Dapr;
using Google.Protobuf;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Pusher.Raising;
using StripeMeter.V1;

namespace StripeMeter.Pusher.Waking;

/// <summary>Wakes the sweep when counters changed. What changed the sweep reads itself; of the message only the traces matter.</summary>
internal static class CountersChangedSubscription
{
    private const string Route = "/subscriptions/counters-changed";

    public static void MapCountersChanged(this WebApplication app) =>
        app.MapPost(Route, Handle)
            .WithTopic(new TopicOptions { PubsubName = DaprNames.PubSub, Name = DaprNames.CountersChangedTopic });

    private static IResult Handle(Envelope envelope, RaisingService raising)
    {
        raising.Wake(Read(envelope.Data).TraceParents);
        return Results.Ok();
    }

    private static CountersChanged Read(byte[]? data)
    {
        try
        {
            return CountersChanged.Parser.ParseFrom(data ?? []);
        }
        catch (InvalidProtocolBufferException)
        {
            return new CountersChanged();
        }
    }

    /// <summary>The CloudEvent around a message.</summary>
    private sealed record Envelope([property: JsonPropertyName("data_base64")] byte[]? Data);
}
