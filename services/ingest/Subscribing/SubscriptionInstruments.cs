using System.Diagnostics.Metrics;
using StripeMeter.Defaults.Telemetry;

namespace StripeMeter.Ingest.Subscribing;

/// <summary>What the subscription counts; <c>_total</c> is added on export.</summary>
public sealed class SubscriptionInstruments
{
    private readonly Counter<long> _taken;
    private readonly AlertingCounter _refused;

    public SubscriptionInstruments(IMeterFactory meters)
    {
        var meter = meters.Create(ServiceTelemetry.Prefix + "Subscribing");
        _taken = meter.CreateCounter<long>("published_events_taken", description: "Events taken from the topic usage.events.");
        _refused = new AlertingCounter(meter, "dead_letters", "Events of the topic usage.events that were kept as dead letters.");
    }

    public void Taken(long count) => _taken.Add(count);

    public void Refused(long count) => _refused.Add(count);
}
