namespace StripeMeter.Pusher.StripeApi;

/// <summary>
/// Keeps calls from an account that does not answer, or does not let us in. After a while one call is let through to see;
/// the next ones only when it went well.
/// </summary>
internal sealed class CircuitBreaker(TimeProvider clock)
{
    private const int FailuresToOpen = 5;
    private const int MaximumDoublings = 6;
    private static readonly TimeSpan AfterFailures = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AfterRefusal = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(30);
    private readonly long _start = clock.GetTimestamp();
    private readonly Lock _lock = new();
    private int _failures;
    private int _openings;
    private TimeSpan? _openUntil;

    /// <summary>How long no call is let through; zero if one is.</summary>
    public TimeSpan ClosedFor
    {
        get
        {
            lock (_lock)
                return _openUntil is { } until && until > Now ? until - Now : TimeSpan.Zero;
        }
    }

    /// <summary>Whether it keeps calls away, or lets one through to see.</summary>
    public bool IsOpen
    {
        get
        {
            lock (_lock)
                return _openUntil is not null;
        }
    }

    private TimeSpan Now => clock.GetElapsedTime(_start);

    /// <summary>Whether a call may be made. While open, at most one that has not reported back.</summary>
    public bool TryEnter()
    {
        lock (_lock)
        {
            if (_openUntil is not { } until)
                return true;
            if (until > Now)
                return false;
            _openUntil = Now + ProbeTimeout;
            return true;
        }
    }

    /// <summary>The account answered.</summary>
    public void Succeeded()
    {
        lock (_lock)
            (_failures, _openings, _openUntil) = (0, 0, null);
    }

    /// <summary>The account did not answer, or with an error of its own.</summary>
    public void Failed()
    {
        lock (_lock)
        {
            _failures++;
            if (_failures >= FailuresToOpen || _openUntil is not null)
                Open(AfterFailures);
        }
    }

    /// <summary>The account does not let us in: no other call would fare better.</summary>
    public void Refused()
    {
        lock (_lock)
            Open(AfterRefusal);
    }

    private void Open(TimeSpan first)
    {
        var time = first * (1 << Math.Min(_openings, MaximumDoublings));
        _openUntil = Now + (time < Longest ? time : Longest);
        _openings++;
    }
}
