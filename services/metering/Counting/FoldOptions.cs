namespace StripeMeter.Metering.Counting;

/// <summary>Bounds of folding.</summary>
public sealed record FoldOptions
{
    /// <summary>Records read from the log at a time.</summary>
    public int PageRecords { get; init; } = 1_000;

    /// <summary>Records read from the log in one turn. A turn that would need more says that it is behind.</summary>
    public int TurnRecords { get; init; } = 10_000;

    /// <summary>Counters a shard holds in memory between turns.</summary>
    public int HeldCounters { get; init; } = 20_000;

    /// <summary>How long a reader waits before it fills a hole. Doubles whenever a writer turns out to have been alive.</summary>
    public TimeSpan HolePatience { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Doublings of <see cref="HolePatience"/> at most.</summary>
    public int MaximumPatienceDoublings { get; init; } = 6;

    /// <summary>Counters of a shard, or groups of them, that may wait to be counted anew. Folding stops before a re-cut that would add more.</summary>
    public int PendingRecounts { get; init; } = 1_000;

    /// <summary>Sessions of which a shard remembers whether they are excluded.</summary>
    public int HeldSessions { get; init; } = 1_000;

    /// <summary>Holes filled in one turn.</summary>
    public int TurnFills { get; init; } = 1_000;
}
