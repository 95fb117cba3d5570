using System.ComponentModel.DataAnnotations;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Metering.Counting;

namespace StripeMeter.Aggregator.CounterShards;

/// <summary>Bounds of folding and of the actors that do it.</summary>
public sealed class FoldingOptions
{
    /// <summary>Seconds without a call after which an actor leaves memory.</summary>
    [Setting("ACTOR_IDLE_SECONDS"), Range(1, 86_400)]
    public int ActorIdleSeconds { get; set; } = 600;

    /// <summary>Milliseconds a reader waits before it fills a hole in a shard log with junk.</summary>
    [Setting("HOLE_PATIENCE_MS"), Range(1, 3_600_000)]
    public int HolePatienceMs { get; set; } = 3_000;

    /// <summary>
    /// Milliseconds between two saves of an actor's state. The rows are written in every turn and are as new, so the state
    /// need not be saved each time, and a turn that does not save costs the sidecar nothing.
    /// </summary>
    [Setting("ACTOR_SAVE_INTERVAL_MS"), Range(0, 600_000)]
    public int ActorSaveIntervalMs { get; set; } = 1_000;

    /// <summary>Values that an actor's state cache holds before it is cleared; they are saved by then.</summary>
    public int HeldStateValues { get; } = 5_000;

    public FoldOptions ToFoldOptions() => new() { HolePatience = TimeSpan.FromMilliseconds(HolePatienceMs) };
}
