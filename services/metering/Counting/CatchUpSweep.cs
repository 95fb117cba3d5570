using System.Collections.Concurrent;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Work;

namespace StripeMeter.Metering.Counting;

/// <summary>Bounds of the sweep.</summary>
public sealed record CatchUpOptions
{
    /// <summary>How long a shard may stay behind its head before it is told to walk its log.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Shards looked at in one read.</summary>
    public int PageShards { get; init; } = 500;

    /// <summary>Shards told to walk their log at a time.</summary>
    public int Parallelism { get; init; } = 4;

    /// <summary>Turns of one shard in one sweep. What is left has its turns in the next, after all others had theirs.</summary>
    public int TurnsPerShard { get; init; } = 20;
}

/// <summary>
/// Finds shards that stay behind their heads and has them walk their logs. This one mechanism covers lost messages, dead
/// brokers, crashed writers, crashed folders and first starts; what it remembers may be lost at any time.
/// </summary>
public sealed class CatchUpSweep(
    IWorkFinder work, Func<ShardId, CancellationToken, Task<FoldResult>> catchUp, TimeProvider clock, CatchUpOptions options)
{
    private Dictionary<ShardId, Lag> _lagging = [];

    /// <summary>Shards whose turns of the last sweep did not suffice.</summary>
    private ConcurrentBag<ShardId> _unfinished = [];

    /// <summary>How far counting was behind when last looked at.</summary>
    public CountingLag Lagging
    {
        get
        {
            var lagging = _lagging;
            return lagging.Count == 0
                ? default
                : new(lagging.Count, lagging.Values.Max(lag => lag.Records), clock.GetElapsedTime(lagging.Values.Min(lag => lag.Since)));
        }
    }

    /// <summary>Looks at every shard once. Returns how many were told to walk. One failure does not stop the others.</summary>
    public async Task<int> SweepAsync(CancellationToken cancellation)
    {
        var lagging = new Dictionary<ShardId, Lag>();
        var unfinished = _unfinished.ToHashSet();
        var due = new List<ShardId>();
        ShardId? after = null;
        while (true)
        {
            var page = await work.HeadsAsync(after, options.PageShards, cancellation).ConfigureAwait(false);
            foreach (var shard in page)
            {
                if (Note(shard, lagging) is { } age && (age >= options.Patience || unfinished.Contains(shard.Shard)))
                    due.Add(shard.Shard);
            }

            if (page.Count < options.PageShards)
                break;
            after = page[^1].Shard;
        }

        _lagging = lagging;
        await WalkAsync(due, cancellation).ConfigureAwait(false);
        return due.Count;
    }

    /// <summary>Notes how far a shard is behind. Returns for how long it has stood there, or null if it is not behind.</summary>
    private TimeSpan? Note(ShardWork shard, Dictionary<ShardId, Lag> lagging)
    {
        var projected = shard.Progress.LogId == shard.Head.LogId ? shard.Progress.Position : 0;
        if (projected >= shard.Head.Position)
            return null;
        var known = _lagging.TryGetValue(shard.Shard, out var before) && before.Projected == projected;
        var records = shard.Head.Position - projected;
        var lag = known ? before with { Records = records } : new Lag(projected, clock.GetTimestamp(), records);
        lagging[shard.Shard] = lag;
        return clock.GetElapsedTime(lag.Since);
    }

    private async Task WalkAsync(List<ShardId> due, CancellationToken cancellation)
    {
        _unfinished = [];
        var queue = new ConcurrentQueue<ShardId>(due);
        var failures = new ConcurrentQueue<Exception>();
        await Task.WhenAll(Enumerable.Range(0, options.Parallelism).Select(_ => WorkAsync())).ConfigureAwait(false);
        if (!failures.IsEmpty)
            throw new AggregateException("Some shards could not be caught up; the next sweep tries again.", failures);

        async Task WorkAsync()
        {
            while (queue.TryDequeue(out var shard))
            {
                try
                {
                    await WalkAsync(shard, cancellation).ConfigureAwait(false);
                }
                catch (Exception failure) when (failure.IsOfThePiece(cancellation))
                {
                    failures.Enqueue(failure);
                }
            }
        }
    }

    /// <summary>A shard that is far behind walks until it stops moving, or has had its turns.</summary>
    private async Task WalkAsync(ShardId shard, CancellationToken cancellation)
    {
        var folded = -1L;
        for (var turn = 0; turn < options.TurnsPerShard; turn++)
        {
            var result = await catchUp(shard, cancellation).ConfigureAwait(false);
            if (!result.Behind || result.Folded == folded)
                return;
            folded = result.Folded;
        }

        _unfinished.Add(shard);
    }

    private readonly record struct Lag(long Projected, long Since, long Records);
}

/// <summary>How far counting is behind appending.</summary>
/// <param name="Shards">Shards that are behind their heads.</param>
/// <param name="Records">Records by which the one is behind that is farthest behind.</param>
/// <param name="Age">For how long the one has not moved that has stood longest.</param>
public readonly record struct CountingLag(int Shards, long Records, TimeSpan Age);
