using System.ComponentModel.DataAnnotations;
using StripeMeter.Defaults.Configuration;

namespace StripeMeter.Aggregator.Recounting;

/// <summary>Cadence of counting anew.</summary>
public sealed class RecountSettings
{
    /// <summary>Milliseconds between two looks for counters that are to be counted anew.</summary>
    [Setting("RECOUNT_INTERVAL_MS"), Range(10, 600_000)]
    public int IntervalMs { get; set; } = 1_000;
}
