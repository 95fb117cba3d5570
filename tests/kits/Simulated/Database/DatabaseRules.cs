using StripeMeter.Metering.Counting;

namespace StripeMeter.Kits.Simulated.Database;

/// <summary>
/// What the database guards. All of it is needed; a simulation that drops one rule must find a disagreement, and so
/// shows that it can.
/// </summary>
public sealed record DatabaseRules
{
    /// <summary>Unique index on (space, key).</summary>
    public bool UniqueKeys { get; init; } = true;

    /// <summary>Unique index on (shard, position).</summary>
    public bool UniquePositions { get; init; } = true;

    /// <summary>Reads see only what a majority holds.</summary>
    public bool MajorityReads { get; init; } = true;

    /// <summary>Writes return only once a majority holds them.</summary>
    public bool MajorityWrites { get; init; } = true;

    /// <summary>A row is replaced only by a newer one.</summary>
    public bool GuardedRows { get; init; } = true;

    /// <summary>Whether a version may take the place of another.</summary>
    public Func<CounterVersion, CounterVersion, bool> Covers { get; init; } = (ours, theirs) => ours.Covers(theirs);

    /// <summary>Progress is only raised.</summary>
    public bool GuardedProgress { get; init; } = true;
}
