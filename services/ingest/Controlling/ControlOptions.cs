using System.ComponentModel.DataAnnotations;
using StripeMeter.Defaults.Configuration;

namespace StripeMeter.Ingest.Controlling;

/// <summary>Bounds of what control records may do.</summary>
public sealed class ControlOptions
{
    /// <summary>Greatest magnitude of a manual adjustment.</summary>
    [Setting("MAX_ADJUSTMENT_DELTA"), Range(1, 999_999_999_999_999)]
    public long MaximumDelta { get; set; } = 1_000_000;

    /// <summary>Hours after its end when a billing period is closed: a change of the anchor leaves it as it is.</summary>
    [Setting("PERIOD_CLOSING_HOURS"), Range(0, 8_760)]
    public int ClosingHours { get; set; } = 48;
}
