using StripeMeter.Kits.Simulated.Database;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Simulation.Counting;

/// <summary>
/// What a run is made of besides the protocols. The true one changes nothing; a broken one takes away a rule, and shows
/// that the simulation sees it.
/// </summary>
public sealed record CountingVariant
{
    public static CountingVariant True { get; } = new();

    /// <summary>What the database guards.</summary>
    public DatabaseRules Rules { get; init; } = new();

    /// <summary>Whether shards that stay behind are told to walk their logs.</summary>
    public bool CatchesUp { get; init; } = true;

    /// <summary>What a folder sees as its ledger.</summary>
    public Func<ILedger, ILedger> Ledger { get; init; } = ledger => ledger;

    /// <summary>What a folder sees as its projection.</summary>
    public Func<IProjection, ICounterState, IProjection> Projection { get; init; } = (projection, _) => projection;
}
