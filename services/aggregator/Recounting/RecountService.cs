using System.Diagnostics.Metrics;
using StripeMeter.Aggregator.CounterShards;
using StripeMeter.Defaults.Telemetry;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Work;

namespace StripeMeter.Aggregator.Recounting;

/// <summary>
/// Counts anew what re-cuts concern, beside the actors. Replicas may all do so: what was counted is installed in a turn,
/// and only where it is newer.
/// </summary>
public sealed partial class RecountService : BackgroundService
{
    private readonly RecountSweep _sweep;
    private readonly TimeSpan _interval;
    private readonly TimeProvider _clock;
    private readonly ILogger<RecountService> _logger;
    private readonly Counter<long> _recounted;

    public RecountService(
        IMeterStore store, CounterShardClient shards, RecountSettings settings, TimeProvider clock, IMeterFactory meters,
        ILogger<RecountService> logger)
    {
        _sweep = new RecountSweep(store, (shard, recount, _) => shards.InstallAsync(shard, recount), new RecountOptions());
        (_interval, _clock, _logger) = (TimeSpan.FromMilliseconds(settings.IntervalMs), clock, logger);
        _recounted = meters.Create(ServiceTelemetry.Prefix + "Recounting")
            .CreateCounter<long>("recounts_done", description: "Re-cuts after which all counters concerned were counted anew.");
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_interval, _clock);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            try
            {
                _recounted.Add(await _sweep.SweepAsync(stoppingToken).ConfigureAwait(false));
            }
            catch (Exception problem) when (problem.IsOfThePiece(stoppingToken))
            {
                LogSweepFailed(_logger, problem);
            }
        }
    }

    [LoggerMessage(231, LogLevel.Warning, "Some counters could not be counted anew; the next sweep tries again")]
    private static partial void LogSweepFailed(ILogger logger, Exception problem);
}
