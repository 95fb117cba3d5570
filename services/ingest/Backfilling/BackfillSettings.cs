using System.ComponentModel.DataAnnotations;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Metering.Backfilling;

namespace StripeMeter.Ingest.Backfilling;

/// <summary>Pace of the work on backfills.</summary>
public sealed class BackfillSettings
{
    /// <summary>Backfills of a tenant worked on at a time.</summary>
    [Setting("BACKFILL_WORKER_CONCURRENCY"), Range(1, 64)]
    public int Concurrency { get; set; } = 2;

    /// <summary>Waiting events that are appended at a time.</summary>
    [Setting("BACKFILL_BATCH_SIZE"), Range(1, 10_000)]
    public int BatchEvents { get; set; } = 500;

    /// <summary>Milliseconds between two looks for backfills that were decided on and are not at rest.</summary>
    [Setting("BACKFILL_INTERVAL_MS"), Range(10, 600_000)]
    public int IntervalMs { get; set; } = 1_000;

    /// <summary>Minutes that an upload may bring nothing before it is given up: nothing of it counts, and it can be sent again.</summary>
    [Setting("BACKFILL_UPLOAD_TIMEOUT_MINUTES"), Range(5, 10_080)]
    public int UploadTimeoutMinutes { get; set; } = 60;

    public BackfillOptions ToOptions() => new()
    {
        PageEvents = BatchEvents, Parallelism = Concurrency, UploadPatience = TimeSpan.FromMinutes(UploadTimeoutMinutes),
    };
}
