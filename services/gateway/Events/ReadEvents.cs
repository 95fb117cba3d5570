using StripeMeter.EventFormats;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Events;

/// <summary>The events of a request, of which some may be unreadable.</summary>
internal static class ReadEvents
{
    /// <summary>Has those decided on that can be read, and puts the results back into the order of the request.</summary>
    public static async Task<IngestResult[]> DecideAsync(
        List<ReadEvent> events, Func<IReadOnlyList<UsageEvent>, Task<IReadOnlyList<IngestResult>>> decide)
    {
        var readable = new List<UsageEvent>(events.Count);
        foreach (var read in events)
        {
            if (read.Error is null)
                readable.Add(read.Event);
        }

        var decided = readable.Count == 0 ? [] : await decide(readable).ConfigureAwait(false);
        var results = new IngestResult[events.Count];
        var next = 0;
        for (var index = 0; index < results.Length; index++)
        {
            results[index] = events[index].Error is { } error ? ToResult(events[index].Event, error) : decided[next++];
            results[index].Index = (ulong)index;
        }

        return results;
    }

    private static IngestResult ToResult(UsageEvent read, Metering.Events.FieldError error) => new()
    {
        Status = IngestStatus.Error,
        IdempotencyKey = read.IdempotencyKey,
        Error = new FieldError { Field = error.Field, Reason = error.Reason },
    };
}
