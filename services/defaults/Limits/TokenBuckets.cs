using System.Collections.Concurrent;

namespace StripeMeter.Defaults.Limits;

/// <summary>What a bucket answered.</summary>
/// <param name="IsGranted">Whether the request may pass.</param>
/// <param name="Limit">Requests that a full bucket lets through.</param>
/// <param name="Remaining">Requests it would let through now.</param>
/// <param name="Reset">Until it is full again.</param>
/// <param name="RetryAfter">When to come again; zero if the request may pass.</param>
public readonly record struct Allowance(bool IsGranted, int Limit, long Remaining, TimeSpan Reset, TimeSpan RetryAfter);

/// <summary>
/// A token bucket for each name. It holds <paramref name="limit"/> tokens and fills evenly within <paramref name="window"/>.
/// A bucket is one number, the time at which it is full again, so that taking needs no lock and twice the limit never
/// passes at the edge of a window.
/// </summary>
/// <param name="limit">Tokens of a full bucket.</param>
/// <param name="window">Within which an empty one is full again.</param>
/// <param name="maximumBuckets">Buckets kept; when there are more, full ones are forgotten, for they say nothing.</param>
/// <param name="clock">The clock.</param>
public sealed class TokenBuckets(int limit, TimeSpan window, int maximumBuckets, TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, Bucket> _buckets = new(StringComparer.Ordinal);
    private readonly long _start = clock.GetTimestamp();
    private readonly long _tokenTicks = Math.Max(1, window.Ticks / limit);

    public int Count => _buckets.Count;

    private long Now => clock.GetElapsedTime(_start).Ticks;

    public Allowance Take(string name)
    {
        var now = Now;
        if (!_buckets.TryGetValue(name, out var bucket))
        {
            MakeRoom(now);
            bucket = _buckets.GetOrAdd(name, static _ => new Bucket());
        }

        while (true)
        {
            var full = Volatile.Read(ref bucket.FullAt);
            var next = Math.Max(full, now) + _tokenTicks;
            var excess = next - now - (_tokenTicks * limit);
            if (excess > 0)
                return new Allowance(false, limit, 0, TimeSpan.FromTicks(full - now), TimeSpan.FromTicks(excess));
            if (Interlocked.CompareExchange(ref bucket.FullAt, next, full) == full)
                return new Allowance(true, limit, -excess / _tokenTicks, TimeSpan.FromTicks(next - now), TimeSpan.Zero);
        }
    }

    private void MakeRoom(long now)
    {
        if (_buckets.Count < maximumBuckets)
            return;
        foreach (var (name, bucket) in _buckets)
        {
            if (Volatile.Read(ref bucket.FullAt) <= now)
                _buckets.TryRemove(name, out _);
        }

        // Rather let some through than grow: so many names at a time are no clients of ours.
        if (_buckets.Count >= maximumBuckets)
            _buckets.Clear();
    }

    private sealed class Bucket
    {
        public long FullAt;
    }
}
