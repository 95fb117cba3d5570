using System.Text.Json.Serialization;
using Dapr;
using Grpc.Core;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Defaults.Telemetry;
using StripeMeter.Ingest.DeadLetters;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Ingest.Subscribing;

/// <summary>
/// Takes events that were published to <c>usage.events</c> and its like. Messages come one by one, not in bulk: on its way through a
/// bulk delivery a JSON number becomes a double in daprd and loses digits; alone it comes as it was published. Publishers
/// with many events put many into one message.
/// <para>
/// A message with an event that is refused is dropped to the dead letter topic, as is one that could not be taken for as
/// long as the resiliency policy tries. From there it is tried once more, and what is still refused is kept for a list.
/// </para>
/// </summary>
internal static partial class UsageEventsSubscription
{
    private const string Route = "/subscriptions/";
    private static readonly TopicStatus Success = new("SUCCESS");
    private static readonly TopicStatus Retry = new("RETRY");
    private static readonly TopicStatus Drop = new("DROP");

    public static void MapUsageEvents(this WebApplication app)
    {
        // Taken from here on, so that it is exported before the first event comes.
        var instruments = app.Services.GetRequiredService<SubscriptionInstruments>();
        foreach (var topic in app.Services.GetRequiredService<PublisherTopics>().All)
        {
            app.MapPost(Route + topic.Name, HandleAsync).WithTopic(new TopicOptions
            {
                PubsubName = DaprNames.PubSub, Name = topic.Name, DeadLetterTopic = topic.DeadName,
            });
            app.MapPost(Route + topic.DeadName, HandleDeadAsync).WithTopic(new TopicOptions { PubsubName = DaprNames.PubSub, Name = topic.DeadName });

            Task<TopicStatus> HandleAsync(HttpContext context, PublicationTaker taker, ILogger<PublicationTaker> logger) =>
                TakeAsync(topic, context, taker, instruments, logger);

            Task<TopicStatus> HandleDeadAsync(
                HttpContext context, PublicationTaker taker, DeadLetterKeeper keeper, ILogger<PublicationTaker> logger) =>
                TakeDeadAsync(topic, context, taker, keeper, instruments, logger);
        }
    }

    private static async Task<TopicStatus> TakeAsync(
        PublisherTopic topic, HttpContext context, PublicationTaker taker, SubscriptionInstruments instruments, ILogger<PublicationTaker> logger)
    {
        Call.BeginDelivery(new Call(topic.Publishers, context.TraceIdentifier));
        var message = await ReadAsync(context).ConfigureAwait(false);
        var published = Publication.Read(message);
        using var activity = ServiceTracing.Start("ingest.take", Publication.TraceParentsOf(message));
        try
        {
            var refused = await taker.TakeAsync(published, topic, context.RequestAborted).ConfigureAwait(false);
            instruments.Taken(published.Count - refused.Count);
            return refused.Count == 0 ? Success : Drop;
        }
        catch (Exception problem) when (IsTemporary(problem))
        {
            LogNotTaken(logger, published.Count, problem.Message);
            return Retry;
        }
    }

    private static async Task<TopicStatus> TakeDeadAsync(
        PublisherTopic topic, HttpContext context, PublicationTaker taker, DeadLetterKeeper keeper, SubscriptionInstruments instruments,
        ILogger<PublicationTaker> logger)
    {
        Call.BeginDelivery(new Call(topic.Publishers, context.TraceIdentifier));
        var published = Publication.Read(await ReadAsync(context).ConfigureAwait(false));
        try
        {
            var refused = await taker.TakeAsync(published, topic, context.RequestAborted).ConfigureAwait(false);
            if (!await keeper.KeepAsync(refused, topic.Publishers, context.RequestAborted).ConfigureAwait(false))
                return Retry;
            instruments.Refused(refused.Count);
            return Success;
        }
        catch (Exception problem) when (IsTemporary(problem))
        {
            LogNotTaken(logger, published.Count, problem.Message);
            return Retry;
        }
    }

    private static bool IsTemporary(Exception problem) => problem is StoreUnavailableException
        or RpcException { StatusCode: StatusCode.Unavailable };

    private static async Task<byte[]> ReadAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted).ConfigureAwait(false);
        return body.ToArray();
    }

    [LoggerMessage(131, LogLevel.Warning, "{Events} published events cannot be taken now; they are delivered again: {Reason}")]
    private static partial void LogNotTaken(ILogger logger, int events, string reason);

    private sealed record TopicStatus([property: JsonPropertyName("status")] string Status);
}
