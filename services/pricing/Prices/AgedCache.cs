using System.Collections.Concurrent;

namespace StripeMeter.Pricing.Prices;

/// <summary>What was read from Stripe, for a while, and not too much of it.</summary>
/// <param name="limit">How long it is used.</param>
/// <param name="capacity">How many values are held. When there are more, the oldest goes.</param>
/// <param name="isKept">Which values are held at all; others are read again each time.</param>
/// <param name="clock">Measures ages.</param>
internal sealed class AgedCache<TKey, TValue>(TimeSpan limit, int capacity, Func<TValue, bool> isKept, TimeProvider clock)
    where TKey : notnull
{
    private readonly ConcurrentDictionary<TKey, Entry> _entries = new();
    private readonly ConcurrentQueue<TKey> _order = new();
    private int _count;

    public async Task<TValue> ReadAsync(TKey key, Func<Task<TValue>> read)
    {
        if (_entries.TryGetValue(key, out var entry) && !entry.Stale && clock.GetElapsedTime(entry.ReadAt) < limit)
            return entry.Value;
        var value = await read().ConfigureAwait(false);
        if (isKept(value))
            Keep(key, new Entry(value, clock.GetTimestamp()));
        return value;
    }

    /// <summary>The next read asks, whatever is held.</summary>
    public void Refresh(TKey key)
    {
        if (_entries.TryGetValue(key, out var entry))
            _entries.TryUpdate(key, entry with { Stale = true }, entry);
    }

    private void Keep(TKey key, Entry entry)
    {
        if (!_entries.TryAdd(key, entry))
        {
            _entries[key] = entry;
            return;
        }

        _order.Enqueue(key);
        if (Interlocked.Increment(ref _count) > capacity && _order.TryDequeue(out var oldest))
        {
            _entries.TryRemove(oldest, out _);
            Interlocked.Decrement(ref _count);
        }
    }

    private sealed record Entry(TValue Value, long ReadAt, bool Stale = false);
}
