using System.ComponentModel.DataAnnotations;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Ingest.Ingesting;

/// <summary>Bounds of ingest.</summary>
public sealed class IngestOptions
{
    /// <summary>Events of one request, or of one message of a stream.</summary>
    [Setting("MAX_INGEST_BATCH"), Range(1, 10_000)]
    public int MaximumBatchEvents { get; set; } = 1_000;

    /// <summary>Bytes of an event's meta object.</summary>
    [Setting("MAX_EVENT_META_BYTES"), Range(0, 65_536)]
    public int MaximumMetaBytes { get; set; } = 4_096;

    /// <summary>Hours after which an event is late and held; 0 means never.</summary>
    [Setting("LATE_EVENT_WINDOW_HOURS"), Range(0, 1_000_000)]
    public int LatenessHours { get; set; } = 48;

    /// <summary>Other hours for metrics: <c>metric=hours</c> or <c>tenant/metric=hours</c>, separated by commas; 0 means never.</summary>
    [Setting("LATE_EVENT_WINDOWS"), RegularExpression(@"(\s*[^,]+=\d{1,7}\s*,?)*\s*")]
    public string LatenessWindows { get; set; } = "";

    /// <summary>Events being appended at a time. More are refused as overload, before memory grows.</summary>
    [Setting("MAX_PENDING_EVENTS"), Range(1_000, 10_000_000)]
    public int MaximumPendingEvents { get; set; } = 100_000;

    /// <summary>Conflicts and errors that the answer to a stream lists.</summary>
    public int MaximumStreamProblems { get; } = 1_000;

    /// <summary>Characters of a request's idempotency key: leaves room for ":999" within the limit of a key.</summary>
    public int MaximumRequestKeyLength { get; } = 240;

    public EventLimits ToEventLimits() => new() { MetaBytes = MaximumMetaBytes };

    public LatenessWindows ToLatenessWindows() => new(LatenessHours, LatenessWindows);
}
