using StripeMeter.Defaults.Access;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.Errors;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Metering.Identity;

namespace StripeMeter.Gateway.Events;

/// <summary>Events in, and the ledger out.</summary>
internal static class EventEndpoints
{
    private const string Tag = "Events";

    public static void MapEvents(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/events/ingest", IngestEndpoint.HandleAsync)
            .Describe(Tag, "IngestEvents", "Stores usage events; each is counted exactly once by its idempotency key")
            .Allows(AccessKind.Append, Scopes.EventsWrite)
            .Takes<IngestBody>()
            .TakesAlso<UsageCloudEvent>(IngestFormats.CloudEvent)
            .TakesAlso<UsageCloudEvent>(IngestFormats.CloudEventBatch, asList: true)
            .Produces<IngestResponse>()
            .WithMetadata(
                IngestEndpoint.KeyHeaderParameter,
                new ErrorEnvelope(writer => IngestAnswer.WriteCounts(writer, 0, 0, 0)));
        routes.MapGet("/v1/events/conflicts", ListConflictsEndpoint.HandleAsync)
            .Describe(
                Tag, "ListConflicts", "Events refused because another stands under their key: the newest 10,000, newest first",
                ListConflictsEndpoint.Parameters)
            .Allows(AccessKind.Read, Scopes.EventsRead);
        routes.MapGet("/v1/events", ListEventsEndpoint.HandleAsync)
            .Describe(Tag, "ListEvents", "The events of a tenant, as the ledger keeps them", ListEventsEndpoint.Parameters)
            .Allows(AccessKind.Read, Scopes.EventsRead)
            .WithMetadata(new ErrorEnvelope(writer =>
            {
                writer.WriteNumber("total", 0);
                writer.WriteStartArray("events");
                writer.WriteEndArray();
            }));
    }
}
