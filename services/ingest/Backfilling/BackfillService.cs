using System.Threading.Channels;
using StripeMeter.Ingest.Publishing;
using StripeMeter.Metering.Backfilling;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Work;

namespace StripeMeter.Ingest.Backfilling;

/// <summary>
/// Brings backfills that were decided on to rest: at once when told, and again and again for those that a crash left. Replicas
/// may all do so.
/// </summary>
public sealed partial class BackfillService : BackgroundService
{
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly BackfillSweep _sweep;
    private readonly TimeSpan _interval;
    private readonly TimeProvider _clock;
    private readonly ILogger<BackfillService> _logger;

    public BackfillService(
        IMeterStore store, AppendedPublisher publisher, BackfillSettings settings, BackfillInstruments instruments, TimeProvider clock,
        ILogger<BackfillService> logger)
    {
        _sweep = new BackfillSweep(store, clock, settings.ToOptions(), (shard, records) =>
        {
            instruments.Appended(records.Count);
            publisher.Offer(shard, records);
        });
        (_interval, _clock, _logger) = (TimeSpan.FromMilliseconds(settings.IntervalMs), clock, logger);
    }

    /// <summary>Says that something was decided.</summary>
    public void Wake() => _wake.Writer.TryWrite(true);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (await _sweep.SweepAsync(stoppingToken).ConfigureAwait(false))
                    continue;
            }
            catch (Exception problem) when (problem.IsOfThePiece(stoppingToken))
            {
                LogSweepFailed(_logger, problem);
            }

            await WaitAsync(stoppingToken).ConfigureAwait(false);
        }
    }

    /// <summary>Until it is woken, or an interval has passed.</summary>
    private async Task WaitAsync(CancellationToken cancellation)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        await Task.WhenAny(
            _wake.Reader.WaitToReadAsync(over.Token).AsTask(), Task.Delay(_interval, _clock, over.Token)).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        _wake.Reader.TryRead(out _);
    }

    [LoggerMessage(131, LogLevel.Warning, "Some backfills could not go on; the next look tries again")]
    private static partial void LogSweepFailed(ILogger logger, Exception problem);
}
