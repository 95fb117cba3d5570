using System.Collections.Concurrent;
using StripeMeter.Kits.Text;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Time;

namespace StripeMeter.Kits.Pushing;

/// <summary>A delta ledger in memory, with a turn given away before and after every operation.</summary>
/// <param name="turn">Awaited around each operation; where a simulation puts its faults.</param>
public sealed class SimulatedDeltaLedger(Func<Task> turn) : IDeltaLedger
{
    private readonly ConcurrentDictionary<DeltaKey, DeltaDocument> _documents = [];
    private readonly ConcurrentDictionary<(string Identifier, long Closing), (DeltaKey Key, PushIntent Intent)> _history = [];
    private readonly Lock _saving = new();

    /// <summary>The documents as they stand, outside of any turn.</summary>
    public IReadOnlyCollection<DeltaDocument> Documents => [.. _documents.Values];

    /// <summary>The closed intents as they stand, outside of any turn.</summary>
    public IReadOnlyCollection<(DeltaKey Key, PushIntent Intent)> Closed => [.. _history.Values];

    /// <summary>The same data seen by another process.</summary>
    public SimulatedDeltaLedger SeenBy(Func<Task> otherTurn) => new(this, otherTurn);

    private SimulatedDeltaLedger(SimulatedDeltaLedger shared, Func<Task> turn) : this(turn) =>
        (_documents, _history, _saving) = (shared._documents, shared._history, shared._saving);

    public Task<DeltaDocument?> LoadAsync(DeltaKey key, CancellationToken cancellation) =>
        TurnAsync(() => _documents.GetValueOrDefault(key));

    public Task<bool> SaveAsync(DeltaDocument document, CancellationToken cancellation) => TurnAsync(() =>
    {
        lock (_saving)
        {
            if ((_documents.GetValueOrDefault(document.Key)?.Revision ?? 0) != document.Revision)
                return false;
            _documents[document.Key] = document.Saved();
            return true;
        }
    });

    public Task AppendHistoryAsync(DeltaKey key, PushIntent intent, CancellationToken cancellation) =>
        TurnAsync(() => _history.TryAdd((intent.Identifier, intent.Closing), (key, intent)));

    public Task<IReadOnlyList<PushIntent>> HistoryAsync(
        DeltaKey key, long afterClosing, int limit, CancellationToken cancellation) => TurnAsync<IReadOnlyList<PushIntent>>(() =>
        [
            .. _history.Values.Where(closed => closed.Key == key && closed.Intent.Closing > afterClosing)
                .Select(closed => closed.Intent).OrderBy(intent => intent.Closing).Take(limit),
        ]);

    public Task<PushIntent?> FindClosedAsync(string identifier, CancellationToken cancellation) => TurnAsync(() =>
        _history.Values.Where(closed => closed.Intent.Identifier == identifier).MaxBy(closed => closed.Intent.Closing).Intent)!;

    public Task<IReadOnlyList<DeltaKey>> DueAsync(
        string account, bool livemode, Instant now, int limit, CancellationToken cancellation) => TurnAsync<IReadOnlyList<DeltaKey>>(() =>
        [
            .. _documents.Values.Where(document => document.Key.Account == account && document.Key.Livemode == livemode && document.Due <= now)
                .OrderBy(document => document.Due).Take(limit).Select(document => document.Key),
        ]);

    public Task<IReadOnlyList<DeltaDocument>> ListAsync(DeltaQuery query, CancellationToken cancellation) =>
        TurnAsync<IReadOnlyList<DeltaDocument>>(() =>
        [
            .. _documents.Values.Where(document => IsFed(document, query) && (query.From is not { } from || Compare(document.Key, from) >= 0))
                .Order(Comparer<DeltaDocument>.Create((left, right) => Compare(left.Key, right.Key))).Take(query.Limit),
        ]);

    private static bool IsFed(DeltaDocument document, DeltaQuery query) =>
        (query.Metric is null && query.Customer is null)
        || document.Periods.SelectMany(period => period.Contributions).Any(counter =>
            (query.Metric is null || counter.Metric == query.Metric) && (query.Customer is null || counter.Customer == query.Customer));

    private static int Compare(DeltaKey left, DeltaKey right)
    {
        foreach (var (one, other) in (ReadOnlySpan<(string, string)>)
            [(left.MeterId, right.MeterId), (left.StripeCustomer, right.StripeCustomer), (left.Account, right.Account)])
        {
            if (CodePointOrder.Instance.Compare(one, other) is not 0 and var difference)
                return difference;
        }

        return left.Livemode.CompareTo(right.Livemode);
    }

    private async Task<T> TurnAsync<T>(Func<T> operation)
    {
        await turn().ConfigureAwait(false);
        var result = operation();
        await turn().ConfigureAwait(false);
        return result;
    }
}
