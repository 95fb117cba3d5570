using System.Diagnostics.Metrics;
using StripeMeter.Defaults.Telemetry;

namespace StripeMeter.Ingest.Controlling;

/// <summary>
/// What is counted of adjustments. Late events that wait for approval are <c>events_late_total</c> less
/// <c>late_events_approved_total</c> and <c>late_events_reverted_total</c> of pending ones.
/// </summary>
public sealed class ControlInstruments
{
    private readonly Counter<long> _created;
    private readonly Counter<long> _approved;
    private readonly Counter<long> _reverted;
    private readonly Counter<long> _lateApproved;
    private readonly Counter<long> _lateReverted;

    public ControlInstruments(IMeterFactory meters)
    {
        var meter = meters.Create(ServiceTelemetry.Prefix + "Adjustments");
        _created = meter.CreateCounter<long>("adjustments_created", description: "Manual adjustments created, by reason.");
        _approved = meter.CreateCounter<long>("adjustments_approved", description: "Manual adjustments approved.");
        _reverted = meter.CreateCounter<long>("adjustments_reverted", description: "Manual adjustments reverted.");
        _lateApproved = meter.CreateCounter<long>("late_events_approved", description: "Late events approved, and so counted.");
        _lateReverted = meter.CreateCounter<long>("late_events_reverted", description: "Late events reverted, by whether they had been approved.");
    }

    public void Created(string reason) => _created.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Approved(bool isLateEvent) => (isLateEvent ? _lateApproved : _approved).Add(1);

    public void LateApproved(long count) => _lateApproved.Add(count);

    public void Reverted(bool isLateEvent, bool wasApproved) =>
        (isLateEvent ? _lateReverted : _reverted).Add(1, new KeyValuePair<string, object?>("approved", wasApproved));
}
