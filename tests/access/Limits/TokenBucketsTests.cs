using CsCheck;
using Microsoft.Extensions.Time.Testing;
using StripeMeter.Defaults.Limits;
using Xunit;

namespace StripeMeter.Access.Tests.Limits;

public sealed class TokenBucketsTests
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(60);
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public void Take_MoreThanTheLimit_IsRefusedAndSaysWhenToComeAgain()
    {
        var buckets = new TokenBuckets(6, Window, 100, _clock);
        Assert.Equal([5, 4, 3, 2, 1, 0], Enumerable.Range(0, 6).Select(_ => buckets.Take("a").Remaining));

        var refused = buckets.Take("a");

        Assert.False(refused.IsGranted);
        Assert.Equal(TimeSpan.FromSeconds(10), refused.RetryAfter);
        Assert.Equal(Window, refused.Reset);
        Assert.True(buckets.Take("b").IsGranted);
        _clock.Advance(refused.RetryAfter);
        Assert.True(buckets.Take("a").IsGranted);
        Assert.False(buckets.Take("a").IsGranted);
    }

    /// <summary>Twice the limit would pass at the edge of a fixed window. Here no window of that length lets more than limit and refill through.</summary>
    [Fact]
    public void Take_AtAnyTimes_LetsNoMoreThroughThanABucketHoldsAndRefills() =>
        Gen.Int[0, 30].Array[1, 200].Sample(pauses =>
        {
            var clock = new FakeTimeProvider();
            var buckets = new TokenBuckets(6, Window, 100, clock);
            var granted = 0;
            var seconds = 0;
            foreach (var pause in pauses)
            {
                clock.Advance(TimeSpan.FromSeconds(pause));
                seconds += pause;
                granted += buckets.Take("a").IsGranted ? 1 : 0;
            }

            return granted <= 6 + (seconds / 10);
        });

    [Fact]
    public async Task Take_FromManyTasks_GrantsExactlyTheLimit()
    {
        var buckets = new TokenBuckets(1_000, Window, 100, _clock);

        var granted = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(
            () => Enumerable.Range(0, 500).Count(_ => buckets.Take("a").IsGranted))));

        Assert.Equal(1_000, granted.Sum());
    }

    [Fact]
    public void Take_ForManyNames_KeepsABoundedNumber()
    {
        var buckets = new TokenBuckets(2, Window, 100, _clock);
        for (var number = 0; number < 10_000; number++)
            buckets.Take($"name {number}");

        Assert.True(buckets.Count <= 100);
    }
}
