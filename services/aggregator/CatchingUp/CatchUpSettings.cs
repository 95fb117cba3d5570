using System.ComponentModel.DataAnnotations;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Metering.Counting;

namespace StripeMeter.Aggregator.CatchingUp;

/// <summary>Cadence of the catch-up.</summary>
public sealed class CatchUpSettings
{
    /// <summary>Milliseconds between two looks at the heads of all shards.</summary>
    [Setting("CATCH_UP_INTERVAL_MS"), Range(10, 600_000)]
    public int IntervalMs { get; set; } = 1_000;

    /// <summary>Milliseconds a shard may stay behind before it is told to walk its log.</summary>
    [Setting("CATCH_UP_PATIENCE_MS"), Range(0, 600_000)]
    public int PatienceMs { get; set; } = 2_000;

    public CatchUpOptions ToCatchUpOptions() => new() { Patience = TimeSpan.FromMilliseconds(PatienceMs) };
}
