using System.Diagnostics.Metrics;
using StripeMeter.Aggregator.CounterShards;
using StripeMeter.Defaults.Telemetry;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Work;

namespace StripeMeter.Aggregator.CatchingUp;

/// <summary>Runs the catch-up sweep at its cadence. Replicas may all do so: a shard takes one call at a time.</summary>
public sealed partial class CatchUpService : BackgroundService
{
    private readonly CatchUpSweep _sweep;
    private readonly TimeSpan _interval;
    private readonly TimeProvider _clock;
    private readonly ILogger<CatchUpService> _logger;
    private readonly Counter<long> _caughtUp;

    public CatchUpService(
        IMeterStore store, CounterShardClient shards, CatchUpSettings settings, TimeProvider clock, IMeterFactory meters,
        ILogger<CatchUpService> logger)
    {
        _sweep = new CatchUpSweep(
            store.Work, (shard, _) => shards.CatchUpAsync(shard), clock, settings.ToCatchUpOptions());
        (_interval, _clock, _logger) = (TimeSpan.FromMilliseconds(settings.IntervalMs), clock, logger);
        var meter = meters.Create(ServiceTelemetry.Prefix + "CatchingUp");
        _caughtUp = meter.CreateCounter<long>("shards_caught_up", description: "Shards told to walk their logs.");
        meter.CreateObservableGauge("shards_lagging", () => _sweep.Lagging.Shards, description: "Shards behind their heads at the last look.");
        meter.CreateObservableGauge(
            "shard_lag_records", () => _sweep.Lagging.Records, description: "Head minus projected position of the shard that is farthest behind.");
        meter.CreateObservableGauge(
            "queue_lag", () => new Measurement<double>(_sweep.Lagging.Age.TotalSeconds, new KeyValuePair<string, object?>("queue", "aggregation")),
            "s", "How long the oldest work of a queue has waited.");
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_interval, _clock);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            try
            {
                _caughtUp.Add(await _sweep.SweepAsync(stoppingToken).ConfigureAwait(false));
            }
            catch (Exception problem) when (problem.IsOfThePiece(stoppingToken))
            {
                LogSweepFailed(_logger, problem);
            }
        }
    }

    [LoggerMessage(221, LogLevel.Warning, "The catch-up failed; the next one tries again")]
    private static partial void LogSweepFailed(ILogger logger, Exception problem);
}
