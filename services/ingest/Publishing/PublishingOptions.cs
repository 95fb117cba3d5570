using System.ComponentModel.DataAnnotations;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Defaults.Hosting;

namespace StripeMeter.Ingest.Publishing;

/// <summary>Bounds of telling the aggregator. Whatever is not told in time is found by its catch-up.</summary>
public sealed class PublishingOptions
{
    /// <summary>Records waiting to be published. When it is full, further ones are left to the catch-up.</summary>
    [Setting("PUBLISH_PENDING_RECORDS"), Range(1, 10_000_000)]
    public int PendingRecords { get; set; } = 100_000;

    /// <summary>
    /// Milliseconds of rest after a publish. What comes in meanwhile goes out together, and a counter that moves often is
    /// written once for all of it.
    /// </summary>
    [Setting("PUBLISH_PAUSE_MS"), Range(0, 10_000)]
    public int PauseMs { get; set; } = 100;

    /// <summary>Records of one message.</summary>
    public int MessageRecords { get; } = 1_000;

    /// <summary>Records of one publish.</summary>
    public int PublishRecords { get; } = 20_000;

    /// <summary>Bytes of one message.</summary>
    public int MessageBytes { get; } = BulkDelivery.MessageBytes;

    /// <summary>Log ids held in memory.</summary>
    public int HeldLogIds { get; } = 10_000;

    /// <summary>Pause after a publish that failed.</summary>
    public TimeSpan FailurePause { get; } = TimeSpan.FromMilliseconds(500);
}
