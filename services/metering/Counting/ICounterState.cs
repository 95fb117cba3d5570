namespace StripeMeter.Metering.Counting;

/// <summary>
/// The state an actor keeps of its counters: a fast copy that may be lost, may fall back, or may be held twice, without
/// any effect on the books.
/// </summary>
public interface ICounterState
{
    /// <summary>How far the state says its shard was folded; null if there is no state.</summary>
    Task<ShardProgress?> LoadProgressAsync(CancellationToken cancellation);

    /// <summary>A counter of the given log; null if there is none.</summary>
    Task<Counter?> LoadAsync(string logId, CounterKey key, CancellationToken cancellation);

    /// <summary>Saves counters and progress together. May be lost although it returns.</summary>
    Task SaveAsync(ShardProgress progress, IReadOnlyCollection<Counter> counters, CancellationToken cancellation);
}
