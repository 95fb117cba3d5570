using System.Diagnostics.Metrics;
using StripeMeter.Defaults.Telemetry;

namespace StripeMeter.Ingest.Ingesting;

/// <summary>What ingest counts. The names are those of the metrics contract; <c>_total</c> is added on export.</summary>
public sealed class IngestInstruments
{
    private const string MetricTag = "meter";
    private readonly Counter<long> _accepted;
    private readonly Counter<long> _late;
    private readonly Counter<long> _duplicates;
    private readonly Counter<long> _conflicts;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _overloads;

    public IngestInstruments(IMeterFactory meters)
    {
        var meter = meters.Create(ServiceTelemetry.Prefix + "Ingest");
        _accepted = meter.CreateCounter<long>("events_ingested", description: "Events accepted, by metric.");
        _late = meter.CreateCounter<long>("events_late", description: "Events accepted and held because they came late, by metric.");
        _duplicates = meter.CreateCounter<long>("events_duplicate", description: "Events that were in the ledger already, by metric.");
        _conflicts = meter.CreateCounter<long>("events_upsert_conflicts", description: "Events refused because another stands under their key, by metric.");
        _refused = meter.CreateCounter<long>("events_refused", description: "Events that break a rule, by field.");
        _overloads = meter.CreateCounter<long>("ingest_overloads", description: "Requests refused because too many events were pending.");
    }

    public void Accepted(string metric, long count) => _accepted.Add(count, new KeyValuePair<string, object?>(MetricTag, metric));

    public void Late(string metric, long count) => _late.Add(count, new KeyValuePair<string, object?>(MetricTag, metric));

    public void Duplicates(string metric, long count) => _duplicates.Add(count, new KeyValuePair<string, object?>(MetricTag, metric));

    public void Conflicts(string metric, long count) => _conflicts.Add(count, new KeyValuePair<string, object?>(MetricTag, metric));

    public void Refused(string field) => _refused.Add(1, new KeyValuePair<string, object?>("field", field));

    public void Overloaded() => _overloads.Add(1);
}
