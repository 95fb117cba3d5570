using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using DomainSource = StripeMeter.Metering.Events.EventSource;

namespace StripeMeter.Ingest.Ingesting;

/// <summary>Events as the API sends them.</summary>
internal static class WireEvents
{
    public static EventDraft ToDraft(this V1.UsageEvent sent, string requestKey, int index)
    {
        string? timestampProblem = null;
        Metering.Time.Instant? timestamp = null;
        if (sent.Timestamp is not null)
        {
            timestampProblem = sent.Timestamp.TryToInstant(out var instant);
            timestamp = timestampProblem is null ? instant : null;
        }

        var key = sent.IdempotencyKey.Length > 0 || requestKey.Length == 0
            ? sent.IdempotencyKey
            : FormattableString.Invariant($"{requestKey}:{index}");
        return new EventDraft
        {
            Tenant = sent.TenantId,
            Metric = sent.Metric,
            Customer = sent.CustomerRef,
            Resource = sent.ResourceId,
            Quantity = sent.Quantity,
            Timestamp = timestamp,
            TimestampProblem = timestampProblem,
            Meta = sent.MetaJson,
            Key = key,
            Source = sent.Source.ToDomain(),
        };
    }

    public static V1.IngestStatus ToWire(this IngestStatus status) => status switch
    {
        IngestStatus.Accepted => V1.IngestStatus.Accepted,
        IngestStatus.Duplicate => V1.IngestStatus.Duplicate,
        _ => V1.IngestStatus.Conflict,
    };

    public static DomainSource ToDomain(this V1.EventSource source) =>
        source == V1.EventSource.Unspecified || !Enum.IsDefined((DomainSource)source)
            ? DomainSource.Http
            : (DomainSource)source;
}
