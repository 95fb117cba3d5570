using Google.Protobuf.Collections;
using StripeMeter.EventFormats;
using StripeMeter.Ingest.Ingesting;
using StripeMeter.V1;
using FieldError = StripeMeter.Metering.Events.FieldError;

namespace StripeMeter.Ingest.Subscribing;

/// <summary>An event that was published and is not taken.</summary>
internal readonly record struct RefusedEvent(PublishedEvent Event, FieldError Error);

/// <summary>Ingests what was published exactly as what is called for: the same checks, keys and limits.</summary>
internal sealed class PublicationTaker(BatchIngester ingester, IngestOptions options)
{
    /// <summary>Ingests the events of a message. Returns those that are refused.</summary>
    /// <exception cref="Grpc.Core.RpcException">The events cannot be taken now; some may have been, and taking all again is safe.</exception>
    public async Task<IReadOnlyList<RefusedEvent>> TakeAsync(
        IReadOnlyList<PublishedEvent> published, CancellationToken cancellation)
    {
        var refused = new List<RefusedEvent>();
        foreach (var unreadable in published.Where(item => item.Read.Error is not null))
            refused.Add(new RefusedEvent(unreadable, ToWire(unreadable.Read.Error!)));
        foreach (var chunk in published.Where(item => item.Read.Error is null).Chunk(options.MaximumBatchEvents))
        {
            var events = new RepeatedField<UsageEvent>();
            events.AddRange(chunk.Select(item => item.Read.Event));
            var results = await ingester.IngestAsync(events, "", cancellation).ConfigureAwait(false);
            refused.AddRange(chunk.Zip(results).Where(pair => pair.Second.Status == IngestStatus.Error)
                .Select(pair => new RefusedEvent(pair.First, new FieldError(pair.Second.Error.Field, pair.Second.Error.Reason))));
        }

        return refused;
    }

    public static FieldError ToWire(FieldError error) => error with { Field = EventFields.ToWire(error.Field) };
}
