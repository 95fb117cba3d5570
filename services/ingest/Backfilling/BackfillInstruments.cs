using System.Diagnostics.Metrics;
using StripeMeter.Defaults.Telemetry;

namespace StripeMeter.Ingest.Backfilling;

/// <summary>What is counted of backfills.</summary>
public sealed class BackfillInstruments
{
    private readonly Counter<long> _opened;
    private readonly Counter<long> _decided;
    private readonly Counter<long> _staged;
    private readonly Counter<long> _appended;

    public BackfillInstruments(IMeterFactory meters)
    {
        var meter = meters.Create(ServiceTelemetry.Prefix + "Backfilling");
        _opened = meter.CreateCounter<long>("backfills_opened", description: "Backfills opened, by kind.");
        _decided = meter.CreateCounter<long>("backfills_decided", description: "Backfills committed or reverted, by decision.");
        _staged = meter.CreateCounter<long>("backfill_events_staged", description: "Events sent to backfills, by what was answered.");
        _appended = meter.CreateCounter<long>("backfill_records_appended", description: "Events and exclusions of backfills appended to the ledger.");
    }

    public void Opened(string kind) => _opened.Add(1, new KeyValuePair<string, object?>("kind", kind));

    public void Decided(string decision) => _decided.Add(1, new KeyValuePair<string, object?>("decision", decision));

    public void Staged(string status, long count) => _staged.Add(count, new KeyValuePair<string, object?>("status", status));

    public void Appended(long count) => _appended.Add(count);
}
