using UsageEvent = StripeMeter.V1.UsageEvent;

namespace StripeMeter.EventFormats;

/// <summary>An event as it was sent: either what ingest is to decide on, or why it cannot be read.</summary>
/// <param name="Event">What could be read.</param>
/// <param name="Error">The first field that cannot be read, in the spelling of JSON. Null: all can.</param>
public readonly record struct ReadEvent(UsageEvent Event, Metering.Events.FieldError? Error)
{
    /// <summary>An event of which nothing can be read.</summary>
    public static ReadEvent Refused(string field, string reason) => new(new UsageEvent(), new Metering.Events.FieldError(field, reason));
}
