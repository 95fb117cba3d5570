using Google.Protobuf.Collections;
using StripeMeter.Defaults.Errors;
using StripeMeter.Ingest.Conflicts;
using StripeMeter.Ingest.Publishing;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.V1;
using FieldError = StripeMeter.Metering.Events.FieldError;
using IngestStatus = StripeMeter.V1.IngestStatus;
using Outcome = StripeMeter.Metering.Ledger.EventOutcome;

namespace StripeMeter.Ingest.Ingesting;

/// <summary>Checks a batch, appends what keeps the rules, and hands what is new to the publisher.</summary>
public sealed class BatchIngester(
    IMeterStore store, AppendedPublisher publisher, ConflictReporter conflicts, IngestOptions options,
    IngestInstruments instruments, TimeProvider clock)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(250);
    private readonly LatenessWindows _lateness = options.ToLatenessWindows();
    private readonly EventRules _rules = new(options.ToEventLimits());
    private int _pendingEvents;

    /// <summary>Returns one result per event, in their order, indexed from 0.</summary>
    public async Task<IngestResult[]> IngestAsync(
        RepeatedField<V1.UsageEvent> events, string requestKey, CancellationToken cancellation)
    {
        if (events.Count == 0 || events.Count > options.MaximumBatchEvents)
            throw RpcErrors.Invalid("events", $"must be 1 to {options.MaximumBatchEvents}, not {events.Count}");
        if (requestKey.Length > options.MaximumRequestKeyLength)
            throw RpcErrors.Invalid("idempotency_key", $"must have at most {options.MaximumRequestKeyLength} characters");
        if (Interlocked.Add(ref _pendingEvents, events.Count) > options.MaximumPendingEvents)
        {
            Interlocked.Add(ref _pendingEvents, -events.Count);
            instruments.Overloaded();
            throw RpcErrors.Unavailable("Too many events are being appended.", RetryAfter);
        }

        try
        {
            return await AppendAsync(events, requestKey, cancellation).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Add(ref _pendingEvents, -events.Count);
        }
    }

    private async Task<IngestResult[]> AppendAsync(
        RepeatedField<V1.UsageEvent> events, string requestKey, CancellationToken cancellation)
    {
        var results = new IngestResult[events.Count];
        var tenants = Check(events, requestKey, results);
        foreach (var (tenant, indexed) in tenants)
        {
            var appender = new Appender(tenant, store.Of(tenant).Ledger, _lateness.Of, clock);
            var batch = await appender.AppendAsync(indexed.ConvertAll(item => item.Event), cancellation).ConfigureAwait(false);
            foreach (var (shard, records) in batch.Appended)
                publisher.Offer(new ShardId(tenant, shard), records);
            for (var place = 0; place < indexed.Count; place++)
                results[indexed[place].Index] = ToResult(indexed[place].Index, batch.Outcomes[place]);
            await ExplainConflictsAsync(tenant, indexed, batch.Outcomes, results, cancellation).ConfigureAwait(false);
            Count(indexed, batch.Outcomes);
        }

        return results;
    }

    /// <summary>Says what conflicts are about. Without one this does nothing.</summary>
    private async Task ExplainConflictsAsync(
        TenantId tenant, List<IndexedEvent> events, IReadOnlyList<Outcome> outcomes, IngestResult[] results,
        CancellationToken cancellation)
    {
        var clashes = Enumerable.Range(0, events.Count)
            .Where(place => outcomes[place].Status == Metering.Ledger.IngestStatus.Conflict).ToArray();
        if (clashes.Length == 0)
            return;
        var refused = Array.ConvertAll(clashes, place => new KeyedEvent(events[place].Event.Event, outcomes[place].Key));
        var explained = await conflicts.ReportAsync(tenant, refused, cancellation).ConfigureAwait(false);
        for (var index = 0; index < clashes.Length; index++)
        {
            var differences = explained[index].Differences;
            var result = results[events[clashes[index]].Index];
            result.Differences.AddRange(differences.Select(ConflictReporter.ToWire));
            result.Error = new V1.FieldError { Field = "idempotency_key", Reason = ConflictReporter.ReasonOf(differences) };
        }
    }

    private Dictionary<TenantId, List<IndexedEvent>> Check(
        RepeatedField<V1.UsageEvent> events, string requestKey, IngestResult[] results)
    {
        var now = Instant.Of(clock.GetUtcNow());
        var tenants = new Dictionary<TenantId, List<IndexedEvent>>();
        for (var index = 0; index < events.Count; index++)
        {
            var draft = events[index].ToDraft(requestKey, index);
            if (_rules.Check(draft, now, out var tenant, out var usage) is { } error)
            {
                instruments.Refused(error.Field);
                results[index] = ToRefusal(index, draft.Key ?? "", error);
                continue;
            }

            if (!tenants.TryGetValue(tenant, out var indexed))
                tenants.Add(tenant, indexed = []);
            indexed.Add(new IndexedEvent(index, new KeyedEvent(usage!, draft.Key)));
        }

        return tenants;
    }

    private static IngestResult ToRefusal(int index, string key, FieldError error) => new()
    {
        Index = (ulong)index,
        Status = IngestStatus.Error,
        IdempotencyKey = key,
        Error = new V1.FieldError { Field = error.Field, Reason = error.Reason },
    };

    private static IngestResult ToResult(int index, Outcome outcome) => new()
    {
        Index = (ulong)index,
        IdempotencyKey = outcome.Key,
        Late = outcome.Late,
        Status = outcome.Status.ToWire(),
    };

    private void Count(List<IndexedEvent> events, IReadOnlyList<Outcome> outcomes)
    {
        var counts = new Dictionary<(string Metric, Metering.Ledger.IngestStatus Status, bool Late), long>();
        for (var place = 0; place < events.Count; place++)
        {
            var key = (events[place].Event.Event.Metric, outcomes[place].Status, outcomes[place].Late);
            counts[key] = counts.GetValueOrDefault(key) + 1;
        }

        foreach (var ((metric, status, late), count) in counts)
        {
            if (status == Metering.Ledger.IngestStatus.Duplicate)
                instruments.Duplicates(metric, count);
            else if (status == Metering.Ledger.IngestStatus.Conflict)
                instruments.Conflicts(metric, count);
            else
                instruments.Accepted(metric, count);
            if (late && status == Metering.Ledger.IngestStatus.Accepted)
                instruments.Late(metric, count);
        }
    }

    private readonly record struct IndexedEvent(int Index, KeyedEvent Event);
}
