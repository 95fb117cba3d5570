using StripeMeter.Gateway.Errors;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Events;

/// <summary>An event of a request: either what ingest is to decide on, or why it cannot be read.</summary>
/// <param name="Event">The event. Its <c>idempotency_key</c> is the one sent, or the request's with the index.</param>
/// <param name="Error">The first field that cannot be read. Null: all can.</param>
public readonly record struct ReadEvent(UsageEvent Event, ProblemError? Error);
