namespace StripeMeter.Pusher.Waking;

/// <summary>Ends the pause of a loop early. Signals that come while the loop works are one signal.</summary>
internal sealed class WakeSignal(TimeProvider clock) : IDisposable
{
    private readonly SemaphoreSlim _signal = new(0, 1);
    private readonly Lock _lock = new();
    private ITimer? _timer;
    private DateTimeOffset? _wakeAt;

    public void Wake()
    {
        lock (_lock)
        {
            if (_signal.CurrentCount == 0)
                _signal.Release();
        }
    }

    /// <summary>Wakes at a moment, if that is before the one it was told already.</summary>
    public void WakeAt(DateTimeOffset moment)
    {
        lock (_lock)
        {
            if (_wakeAt <= moment)
                return;
            _wakeAt = moment;
            var wait = moment - clock.GetUtcNow();
            _timer ??= clock.CreateTimer(_ => Ring(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _timer.Change(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Waits for a signal, at most <paramref name="longest"/>, and in any case <paramref name="shortest"/>.</summary>
    public async Task WaitAsync(TimeSpan shortest, TimeSpan longest, CancellationToken cancellation)
    {
        await Task.Delay(shortest, clock, cancellation).ConfigureAwait(false);
        if (longest <= shortest)
            return;
        using var limit = new CancellationTokenSource(longest - shortest, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            await _signal.WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // The cadence has come round.
        }
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _signal.Dispose();
    }

    private void Ring()
    {
        lock (_lock)
            _wakeAt = null;
        Wake();
    }
}
