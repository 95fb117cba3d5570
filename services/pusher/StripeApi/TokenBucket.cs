namespace StripeMeter.Pusher.StripeApi;

/// <summary>Lets at most so many calls a second through, after a pause as many at once.</summary>
internal sealed class TokenBucket(int ratePerSecond, TimeProvider clock)
{
    private static readonly TimeSpan Burst = TimeSpan.FromSeconds(1);
    private readonly TimeSpan _interval = Burst / ratePerSecond;
    private readonly long _start = clock.GetTimestamp();
    private readonly Lock _lock = new();
    private TimeSpan _next;

    private TimeSpan Now => clock.GetElapsedTime(_start);

    /// <summary>Waits until a call may be made.</summary>
    public Task TakeAsync(CancellationToken cancellation)
    {
        TimeSpan wait;
        lock (_lock)
        {
            var now = Now;
            if (_next < now - Burst)
                _next = now - Burst;
            _next += _interval;
            wait = _next - now;
        }

        return wait > TimeSpan.Zero ? Task.Delay(wait, clock, cancellation) : Task.CompletedTask;
    }

    /// <summary>Lets nothing through for a while, and afterwards no burst.</summary>
    public void Pause(TimeSpan time)
    {
        lock (_lock)
        {
            var until = Now + time;
            if (_next < until)
                _next = until;
        }
    }
}
