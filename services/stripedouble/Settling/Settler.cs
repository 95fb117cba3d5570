using StripeMeter.StripeDouble.Accounts;
using StripeMeter.StripeDouble.Notices;

namespace StripeMeter.StripeDouble.Settling;

/// <summary>Does what is due in every account, and delivers what there is to be told about it. One run at a time.</summary>
internal sealed partial class Settler(AccountBook accounts, WebhookDelivery delivery, StripeDoubleOptions options) : IAsyncDisposable
{
    private readonly ILogger _logger = options.LoggerFactory.CreateLogger<Settler>();
    private readonly SemaphoreSlim _turn = new(1);
    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;

    /// <summary>Settles again and again until disposed.</summary>
    public void Start() => _loop = RunAsync();

    public async Task SettleAsync(CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            foreach (var account in accounts.All)
            {
                var now = options.TimeProvider.GetUtcNow();
                foreach (var part in account.Settled.Where(part => account.File.Read(session => part.IsDue(session, now))))
                    await account.File.WriteAsync(session => part.Settle(session, now), cancellation).ConfigureAwait(false);
                await delivery.DeliverAsync(account, cancellation).ConfigureAwait(false);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
        _stop.Dispose();
        _turn.Dispose();
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(options.SettleInterval, options.TimeProvider);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
            {
                try
                {
                    await SettleAsync(_stop.Token).ConfigureAwait(false);
                }
                catch (Exception failure) when (failure is not OperationCanceledException || !_stop.IsCancellationRequested)
                {
                    Log.Failed(_logger, failure);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2, LogLevel.Error, "What is due could not be done; the next round tries again")]
        public static partial void Failed(ILogger logger, Exception failure);
    }
}
