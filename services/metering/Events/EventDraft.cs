using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Events;

/// <summary>An event as a client sent it, before any rule was checked. Null where a field was absent.</summary>
public sealed record EventDraft
{
    public string? Tenant { get; init; }

    public string? Metric { get; init; }

    public string? Customer { get; init; }

    public string? Resource { get; init; }

    /// <summary>Decimal text.</summary>
    public string? Quantity { get; init; }

    public Instant? Timestamp { get; init; }

    /// <summary>Why there is no timestamp, when one was sent that cannot be read.</summary>
    public string? TimestampProblem { get; init; }

    /// <summary>A JSON object as text.</summary>
    public string? Meta { get; init; }

    public string? Key { get; init; }

    public EventSource Source { get; init; } = EventSource.Http;
}

/// <summary>A rule that an event breaks.</summary>
/// <param name="Field">Name of the field, as in the protocol: <c>customer_ref</c>.</param>
/// <param name="Reason">A sentence for people.</param>
public sealed record FieldError(string Field, string Reason);
