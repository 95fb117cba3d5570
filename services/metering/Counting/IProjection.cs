using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Counting;

/// <summary>
/// The projected counters of one tenant: the rows that queries and the pusher read, and how far each shard is
/// projected. Rows may be deleted and rebuilt from the log at any time.
/// </summary>
public interface IProjection
{
    /// <summary>How far a shard is projected.</summary>
    Task<ShardProgress> ProgressAsync(int shard, CancellationToken cancellation);

    /// <summary>Loads rows by key; keys without a row are left out.</summary>
    Task<IReadOnlyDictionary<CounterKey, CounterRow>> LoadAsync(
        IReadOnlyCollection<CounterKey> keys, CancellationToken cancellation);

    /// <summary>
    /// Writes rows. Each replaces its stored one only if its version is another and covers it, or the log id differs; each
    /// row written is marked dirty by the same write. Returns the stored rows that were not replaced.
    /// </summary>
    Task<IReadOnlyList<CounterRow>> WriteAsync(IReadOnlyCollection<CounterRow> rows, CancellationToken cancellation);

    /// <summary>Raises the projected position of a shard; never lowers it within one log. Another log id replaces both.</summary>
    Task RaiseAsync(int shard, ShardProgress progress, CancellationToken cancellation);

    /// <summary>Adds work items of a shard. Of two with the same log and scope the later re-cut stands for both.</summary>
    Task AddRecountsAsync(int shard, IReadOnlyCollection<RecountItem> items, CancellationToken cancellation);

    /// <summary>Work items of a shard, the earliest re-cut first, at most <paramref name="limit"/>.</summary>
    Task<IReadOnlyList<RecountItem>> RecountsAsync(int shard, int limit, CancellationToken cancellation);

    /// <summary>Removes a work item that is done, unless a later re-cut has taken its place.</summary>
    Task CloseRecountAsync(int shard, RecountItem item, CancellationToken cancellation);

    /// <summary>Lists rows in the order of (metric, customer, period start), texts by their bytes in UTF-8.</summary>
    Task<IReadOnlyList<CounterRow>> ListAsync(CounterQuery query, CancellationToken cancellation);

    /// <summary>Dirty rows, at most <paramref name="limit"/>, in an order in which none waits for ever.</summary>
    Task<IReadOnlyList<CounterRow>> DirtyAsync(int limit, CancellationToken cancellation);

    /// <summary>
    /// Clears the dirty marks of rows whose stored version and log id are still those given. Of the others, those that have
    /// changed since go behind rows that have waited longer.
    /// </summary>
    Task ClearDirtyAsync(IReadOnlyCollection<CounterRow> rows, CancellationToken cancellation);

    /// <summary>Puts marked rows behind those that wait since before <paramref name="now"/>: they could not be told.</summary>
    Task PostponeDirtyAsync(IReadOnlyCollection<CounterRow> rows, Instant now, CancellationToken cancellation);

    /// <summary>Marks all rows of a metric dirty: its mapping changed.</summary>
    Task MarkDirtyAsync(string metric, CancellationToken cancellation);
}

/// <summary>How far a shard is projected: all records up to the position are folded and their rows are written.</summary>
/// <param name="LogId">The log the position belongs to; empty if nothing was ever projected.</param>
/// <param name="Position">The projected position.</param>
public readonly record struct ShardProgress(string LogId, long Position)
{
    public static ShardProgress None => new("", 0);
}

/// <summary>A counter as it is stored.</summary>
/// <param name="Counter">The counter.</param>
/// <param name="Shard">The shard whose log it was folded from.</param>
/// <param name="LogId">The log it was folded from: versions of different logs cannot be compared.</param>
/// <param name="Projected">When it was written.</param>
public sealed record CounterRow(Counter Counter, int Shard, string LogId, Instant Projected);

/// <summary>Selects counters.</summary>
public sealed record CounterQuery
{
    /// <summary>Null: every metric.</summary>
    public string? Metric { get; init; }

    /// <summary>Null: every customer.</summary>
    public string? Customer { get; init; }

    /// <summary>Only counters whose period holds this instant. Null: every period.</summary>
    public Instant? At { get; init; }

    /// <summary>Starts behind this counter. Null: at the beginning.</summary>
    public CounterKey? After { get; init; }

    public int Limit { get; init; } = 100;
}
