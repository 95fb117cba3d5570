using System.Collections.Immutable;
using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Kits.Simulated.Actors;

/// <summary>
/// The stored state of one actor, shared by all its activations. Every save is atomic; it may be lost although it was
/// reported as done, and all of it may fall back to what it was.
/// </summary>
public sealed class SimulatedActorState(SimulatedNetwork network)
{
    private const int KeptSaves = 6;

    private readonly List<Saved> _history = [Saved.Nothing];

    /// <summary>Whether there is an older state to fall back to.</summary>
    public bool HasHistory => _history.Count > 1;

    /// <summary>Makes the state what it was some saves ago.</summary>
    public void FallBack()
    {
        var kept = 1 + network.Dice.Next(_history.Count - 1);
        _history.RemoveRange(kept, _history.Count - kept);
    }

    /// <summary>The state as one activation reads and writes it.</summary>
    public ICounterState Of(SimulatedProcess activation) => new View(this, activation);

    private Task<T> AskAsync<T>(SimulatedProcess activation, Func<Saved, T> read)
    {
        var answer = new TaskCompletionSource<T>();
        network.Scheduler.Post(() =>
        {
            var result = read(_history[^1]);
            network.Answer(activation, () => answer.SetResult(result));
        });
        return answer.Task;
    }

    private Task SaveAsync(SimulatedProcess activation, ShardProgress progress, IReadOnlyCollection<Counter> counters)
    {
        var answer = new TaskCompletionSource();
        network.Scheduler.Post(() =>
        {
            if (network.Dice.Strikes(Fault.SaveRefused))
            {
                network.Answer(activation, () => answer.SetException(new StoreUnavailableException("The state was not saved.")));
                return;
            }

            if (!network.Dice.Strikes(Fault.SaveLost))
                Keep(progress, counters);
            network.Answer(activation, answer.SetResult);
        });
        return answer.Task;
    }

    private void Keep(ShardProgress progress, IReadOnlyCollection<Counter> counters)
    {
        var saved = counters.Select(counter => KeyValuePair.Create((progress.LogId, counter.Key), counter));
        _history.Add(new Saved(progress, _history[^1].Counters.SetItems(saved)));
        if (_history.Count > KeptSaves)
            _history.RemoveAt(0);
    }

    private sealed record Saved(ShardProgress? Progress, ImmutableDictionary<(string LogId, CounterKey Key), Counter> Counters)
    {
        public static readonly Saved Nothing = new(null, ImmutableDictionary<(string, CounterKey), Counter>.Empty);
    }

    private sealed class View(SimulatedActorState state, SimulatedProcess activation) : ICounterState
    {
        public Task<ShardProgress?> LoadProgressAsync(CancellationToken cancellation) =>
            state.AskAsync(activation, saved => saved.Progress);

        public Task<Counter?> LoadAsync(string logId, CounterKey key, CancellationToken cancellation) =>
            state.AskAsync(activation, saved => saved.Counters.GetValueOrDefault((logId, key)));

        public Task SaveAsync(ShardProgress progress, IReadOnlyCollection<Counter> counters, CancellationToken cancellation) =>
            state.SaveAsync(activation, progress, counters);
    }
}
