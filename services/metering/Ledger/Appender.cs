using StripeMeter.Metering.Events;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Ledger;

/// <summary>A checked event with the key its client gave it; null if it gave none.</summary>
public readonly record struct KeyedEvent(UsageEvent Event, string? Key);

/// <summary>What an event is answered.</summary>
public enum IngestStatus
{
    /// <summary>Durable, and counted or held.</summary>
    Accepted,

    /// <summary>It was in the ledger already, or came earlier in the same batch.</summary>
    Duplicate,

    /// <summary>Another event stands under its key.</summary>
    Conflict,
}

/// <summary>The answer to one event. It rests on durable records only.</summary>
/// <param name="Status">What became of it.</param>
/// <param name="Key">The key it stands under; of a conflict, the key it could not have.</param>
/// <param name="Late">Whether the record that stands under the key is late.</param>
public readonly record struct EventOutcome(IngestStatus Status, string Key, bool Late);

/// <summary>What became of a batch.</summary>
/// <param name="Outcomes">One per event, in their order.</param>
/// <param name="Appended">The records that are new in the ledger, by shard, with rising positions.</param>
public sealed record AppendedBatch(
    IReadOnlyList<EventOutcome> Outcomes, IReadOnlyDictionary<int, IReadOnlyList<Countable>> Appended);

/// <summary>Says after what delay an event of a metric counts as late. Null: never.</summary>
public delegate TimeSpan? LatenessWindow(TenantId tenant, string metric);

/// <summary>
/// Appends a batch of events of one tenant: derives missing keys, stamps lateness, deals the events to shards, and
/// answers each. Within a batch the first event under a key stands for it. A derived key that another event has taken
/// is extended by the fingerprint, because deriving is our doing and both events are real; a client's own key is not.
/// </summary>
public sealed class Appender(TenantId tenant, ILedger ledger, LatenessWindow lateness, TimeProvider clock)
{
    /// <exception cref="StoreUnavailableException">Some events may be stored; sending all again is safe.</exception>
    public Task<AppendedBatch> AppendAsync(IReadOnlyList<KeyedEvent> events, CancellationToken cancellation) =>
        AppendAsync(events, session: "", cancellation);

    /// <summary>Appends events that come by a backfill session, if its id is not empty. Those are never late.</summary>
    /// <inheritdoc cref="AppendAsync(IReadOnlyList{KeyedEvent}, CancellationToken)"/>
    public async Task<AppendedBatch> AppendAsync(
        IReadOnlyList<KeyedEvent> events, string session, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(events);
        var shardCount = await ledger.ShardCountAsync(cancellation).ConfigureAwait(false);
        var received = Instant.Of(clock.GetUtcNow());
        var candidates = new Candidate[events.Count];
        for (var index = 0; index < candidates.Length; index++)
            candidates[index] = Prepare(events[index], session, shardCount, received);

        var outcomes = new EventOutcome[candidates.Length];
        var appended = new Dictionary<int, List<Countable>>();
        var open = Enumerable.Range(0, candidates.Length).ToList();
        // The first round tries the keys as they are, the second those that were extended in the first.
        while (open.Count > 0)
        {
            var standing = await AppendFirstsAsync(candidates, open, appended, cancellation).ConfigureAwait(false);
            open = Settle(candidates, open, standing, outcomes);
        }

        return new AppendedBatch(
            outcomes, appended.ToDictionary(shard => shard.Key, shard => (IReadOnlyList<Countable>)shard.Value));
    }

    private Candidate Prepare(KeyedEvent keyed, string session, int shardCount, Instant received)
    {
        var usage = keyed.Event;
        var derived = DerivedKey.MayBe(keyed.Key) ? DerivedKey.Of(tenant, usage) : null;
        var late = session.Length == 0 && lateness(tenant, usage.Metric) is { } window && received - usage.Timestamp > window;
        var fingerprint = Fingerprint.Of(usage);
        var key = string.IsNullOrEmpty(keyed.Key) ? derived! : keyed.Key;
        return new Candidate(
            LedgerRecord.OfEvent(key, fingerprint, usage, received, late, session), Shards.Of(usage.Customer, shardCount),
            Extendable: key == derived);
    }

    /// <summary>Appends the first open candidate of every key. Returns what stands under each key now.</summary>
    private async Task<Dictionary<string, Standing>> AppendFirstsAsync(
        Candidate[] candidates, List<int> open, Dictionary<int, List<Countable>> appended, CancellationToken cancellation)
    {
        var firsts = new Dictionary<string, int>(open.Count, StringComparer.Ordinal);
        foreach (var index in open)
            firsts.TryAdd(candidates[index].Record.Key, index);
        var shards = firsts.Values.GroupBy(index => candidates[index].Shard)
            .Select(group => (Shard: group.Key, Indexes: group.ToArray())).ToArray();
        var results = await Task.WhenAll(shards.Select(shard => ledger.AppendAsync(
            shard.Shard, Array.ConvertAll(shard.Indexes, index => candidates[index].Record), cancellation)))
            .ConfigureAwait(false);

        var standing = new Dictionary<string, Standing>(firsts.Count, StringComparer.Ordinal);
        for (var shard = 0; shard < shards.Length; shard++)
        {
            for (var place = 0; place < shards[shard].Indexes.Length; place++)
            {
                var index = shards[shard].Indexes[place];
                var (record, outcome) = (candidates[index].Record, results[shard][place]);
                standing.Add(record.Key, new Standing(outcome, outcome.Appended ? index : -1));
                if (outcome.Appended)
                    Collect(appended, shards[shard].Shard, new PositionedRecord(outcome.Position, record));
            }
        }

        return standing;
    }

    private static void Collect(Dictionary<int, List<Countable>> appended, int shard, PositionedRecord record)
    {
        if (!appended.TryGetValue(shard, out var records))
            appended.Add(shard, records = []);
        records.Add(Countable.Of(record));
    }

    /// <summary>Answers every open candidate by what stands under its key. Returns those that go on under an extended key.</summary>
    private static List<int> Settle(
        Candidate[] candidates, List<int> open, Dictionary<string, Standing> standing, EventOutcome[] outcomes)
    {
        var extended = new List<int>();
        foreach (var index in open)
        {
            var record = candidates[index].Record;
            var stands = standing[record.Key];
            var same = stands.Outcome.Fingerprint == record.Fingerprint;
            if (!same && candidates[index].Extendable)
            {
                var key = DerivedKey.Extend(record.Key, record.Fingerprint);
                candidates[index] = candidates[index] with { Record = record with { Key = key }, Extendable = false };
                extended.Add(index);
                continue;
            }

            var status = !same ? IngestStatus.Conflict
                : stands.AppendedIndex == index ? IngestStatus.Accepted : IngestStatus.Duplicate;
            outcomes[index] = new EventOutcome(status, record.Key, stands.Outcome.Late);
        }

        return extended;
    }

    private readonly record struct Candidate(LedgerRecord Record, int Shard, bool Extendable);

    private readonly record struct Standing(AppendOutcome Outcome, int AppendedIndex);
}
