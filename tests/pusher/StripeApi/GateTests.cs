using Microsoft.Extensions.Time.Testing;
using StripeMeter.Pusher.StripeApi;
using StripeMeter.Pusher.Waking;

namespace StripeMeter.Pusher.Tests.StripeApi;

/// <summary>What guards the calls to an account, and what wakes the loops.</summary>
public sealed class GateTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task Bucket_BeyondItsBurst_LetsSoManyASecondThrough()
    {
        var bucket = new TokenBucket(10, _clock);
        _clock.Advance(TimeSpan.FromMinutes(1));
        for (var call = 0; call < 10; call++)
            Assert.True(bucket.TakeAsync(CancellationToken.None).IsCompleted);

        var waiting = Enumerable.Range(0, 20).Select(_ => bucket.TakeAsync(CancellationToken.None)).ToArray();

        Assert.Equal(0, waiting.Count(call => call.IsCompleted));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(10, waiting.Count(call => call.IsCompleted));
        _clock.Advance(TimeSpan.FromSeconds(1));
        await Task.WhenAll(waiting);
    }

    [Fact]
    public void Bucket_Paused_LetsNothingThroughUntilThen()
    {
        var bucket = new TokenBucket(10, _clock);
        bucket.Pause(TimeSpan.FromSeconds(5));
        var call = bucket.TakeAsync(CancellationToken.None);

        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.False(call.IsCompleted);
        _clock.Advance(TimeSpan.FromMilliseconds(100));
        Assert.True(call.IsCompleted);
    }

    [Fact]
    public void Breaker_AfterFailuresInARow_LetsOneThroughToSee()
    {
        var breaker = new CircuitBreaker(_clock);
        for (var failure = 0; failure < 4; failure++)
            breaker.Failed();
        Assert.True(breaker.TryEnter());
        breaker.Failed();

        Assert.False(breaker.TryEnter());
        _clock.Advance(breaker.ClosedFor);
        Assert.True(breaker.TryEnter());
        Assert.False(breaker.TryEnter());
        breaker.Succeeded();
        Assert.True(breaker.TryEnter());
        Assert.False(breaker.IsOpen);
    }

    [Fact]
    public void Breaker_ThatFailsAgain_StaysOpenLonger()
    {
        var breaker = new CircuitBreaker(_clock);
        breaker.Refused();
        var first = breaker.ClosedFor;
        _clock.Advance(first);
        Assert.True(breaker.TryEnter());
        breaker.Refused();

        Assert.True(breaker.ClosedFor > first);
    }

    [Fact]
    public void Breaker_ASuccessBetweenFailures_KeepsItClosed()
    {
        var breaker = new CircuitBreaker(_clock);
        for (var call = 0; call < 20; call++)
        {
            breaker.Failed();
            breaker.Failed();
            breaker.Succeeded();
        }

        Assert.True(breaker.TryEnter());
    }

    [Fact]
    public async Task Signal_Woken_EndsThePauseEarlyButNotTooEarly()
    {
        using var signal = new WakeSignal(_clock);
        var pause = signal.WaitAsync(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10), CancellationToken.None);
        signal.Wake();
        signal.Wake();

        Assert.False(pause.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(1));
        await pause.WaitAsync(Limit);
        var next = signal.WaitAsync(TimeSpan.Zero, TimeSpan.FromSeconds(10), CancellationToken.None);
        _clock.Advance(TimeSpan.FromSeconds(9));
        Assert.False(next.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(1));
        await next.WaitAsync(Limit);
    }

    [Fact]
    public async Task Signal_AtAMoment_WakesAtTheEarliest()
    {
        using var signal = new WakeSignal(_clock);
        signal.WakeAt(_clock.GetUtcNow() + TimeSpan.FromSeconds(5));
        signal.WakeAt(_clock.GetUtcNow() + TimeSpan.FromSeconds(2));
        signal.WakeAt(_clock.GetUtcNow() + TimeSpan.FromSeconds(8));
        var pause = signal.WaitAsync(TimeSpan.Zero, TimeSpan.FromMinutes(1), CancellationToken.None);

        _clock.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(pause.IsCompleted);
        _clock.Advance(TimeSpan.FromSeconds(0.2));
        await pause.WaitAsync(Limit);
    }
}
