using Google.Protobuf.Collections;
using StripeMeter.EventFormats;
using StripeMeter.Ingest.Ingesting;
using StripeMeter.Metering.Tenants;
using StripeMeter.V1;
using FieldError = StripeMeter.Metering.Events.FieldError;

namespace StripeMeter.Ingest.Subscribing;

/// <summary>An event that was published and is not taken.</summary>
internal readonly record struct RefusedEvent(PublishedEvent Event, FieldError Error);

/// <summary>Ingests what was published exactly as what is called for: the same checks, keys and limits, and only its publishers' tenants.</summary>
internal sealed class PublicationTaker(BatchIngester ingester, IngestOptions options)
{
    /// <summary>Ingests the events of a message that came by a topic. Returns those that are refused.</summary>
    /// <exception cref="Grpc.Core.RpcException">The events cannot be taken now; some may have been, and taking all again is safe.</exception>
    public async Task<IReadOnlyList<RefusedEvent>> TakeAsync(
        IReadOnlyList<PublishedEvent> published, PublisherTopic topic, CancellationToken cancellation)
    {
        var (refused, own) = (new List<RefusedEvent>(), new List<PublishedEvent>());
        foreach (var item in published)
        {
            if (Refusal(item.Read, topic) is { } refusal)
                refused.Add(new RefusedEvent(item, ToWire(refusal)));
            else
                own.Add(item);
        }

        foreach (var chunk in own.Chunk(options.MaximumBatchEvents))
        {
            var events = new RepeatedField<UsageEvent>();
            events.AddRange(chunk.Select(item => item.Read.Event));
            var results = await ingester.IngestAsync(events, "", cancellation).ConfigureAwait(false);
            refused.AddRange(chunk.Zip(results).Where(pair => pair.Second.Status == IngestStatus.Error)
                .Select(pair => new RefusedEvent(pair.First, new FieldError(pair.Second.Error.Field, pair.Second.Error.Reason))));
        }

        return refused;
    }

    /// <summary>Why an event cannot be read, or is not its publisher's to bring. One that names no tenant is of the only one there is.</summary>
    private static FieldError? Refusal(ReadEvent read, PublisherTopic topic)
    {
        if (read.Error is not null)
            return read.Error;
        if (read.Event.TenantId.Length == 0 && topic.Publishers.OwnTenant is { } own)
            read.Event.TenantId = own.Value;
        return !TenantId.IsValid(read.Event.TenantId) || topic.Publishers.Reaches(new TenantId(read.Event.TenantId))
            ? null
            : new FieldError(EventFields.Tenant, $"is none whose usage the topic {topic.Name} takes");
    }

    public static FieldError ToWire(FieldError error) => error with { Field = EventFields.ToWire(error.Field) };
}
