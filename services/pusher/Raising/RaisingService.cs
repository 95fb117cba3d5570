using StripeMeter.Defaults.Telemetry;
using StripeMeter.Metering.Work;
using StripeMeter.Pusher.Driving;
using StripeMeter.Pusher.StripeApi;
using StripeMeter.Pusher.Waking;

namespace StripeMeter.Pusher.Raising;

/// <summary>Sweeps the changed counters at the cadence, and soon after a change was announced.</summary>
internal sealed partial class RaisingService(
    CounterSweep sweep, ChangedMappings mappings, DrivingService driving, StripeAccounts accounts, PusherOptions options, TimeProvider clock,
    ILogger<RaisingService> logger)
    : BackgroundService
{
    private readonly WakeSignal _signal = new(clock);
    private readonly TraceBatch _traces = new();

    /// <summary>Has the sweep come soon.</summary>
    /// <param name="traceParents">The spans in which counters changed.</param>
    public void Wake(IEnumerable<string> traceParents)
    {
        _traces.AddRange(traceParents);
        _signal.Wake();
    }

    public override void Dispose()
    {
        base.Dispose();
        _signal.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!accounts.IsConfigured)
        {
            LogNotConfigured(logger);
            return;
        }

        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await mappings.MarkAsync(stoppingToken).ConfigureAwait(false);
                using var activity = ServiceTracing.Start("pusher.sweep", _traces.Take());
                if (await sweep.SweepAsync(stoppingToken).ConfigureAwait(false) > 0)
                    driving.Wake(activity?.Id);
            }
            catch (Exception problem) when (problem.IsOfThePiece(stoppingToken))
            {
                LogSweepFailed(logger, problem);
            }

            await _signal.WaitAsync(options.WakeDelay, options.Interval, stoppingToken).ConfigureAwait(false);
        }
    }

    [LoggerMessage(321, LogLevel.Information, "There is no Stripe key and no double, so nothing is pushed")]
    private static partial void LogNotConfigured(ILogger logger);

    [LoggerMessage(322, LogLevel.Warning, "The sweep of changed counters failed; the next one tries again")]
    private static partial void LogSweepFailed(ILogger logger, Exception problem);
}
