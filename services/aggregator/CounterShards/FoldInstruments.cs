using System.Diagnostics.Metrics;
using StripeMeter.Defaults.Telemetry;

namespace StripeMeter.Aggregator.CounterShards;

/// <summary>What folding counts.</summary>
public sealed class FoldInstruments
{
    private readonly Counter<long> _counted;
    private readonly Counter<long> _turns;

    public FoldInstruments(IMeterFactory meters)
    {
        var meter = meters.Create(ServiceTelemetry.Prefix + "Folding");
        _counted = meter.CreateCounter<long>("events_counted", description: "Events folded into counters.");
        _turns = meter.CreateCounter<long>("counter_shard_turns", description: "Turns of counter shards, by cause: message or catch_up.");
    }

    public void Turn(string cause, int counted)
    {
        _turns.Add(1, new KeyValuePair<string, object?>("cause", cause));
        _counted.Add(counted);
    }
}
