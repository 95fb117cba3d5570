using System.Collections.Concurrent;

namespace StripeMeter.Pricing.Prices;

/// <summary>Prices by key, for a while, and not too many. What could not be found is asked again each time.</summary>
public sealed class PriceCache(StripePrices prices, PricingOptions options, TimeProvider clock)
{
    private readonly ConcurrentDictionary<PriceKey, Entry> _entries = new();
    private readonly ConcurrentQueue<PriceKey> _order = new();
    private int _count;

    /// <exception cref="Grpc.Core.RpcException">Stripe does not answer now.</exception>
    public async Task<FoundPrice> ReadAsync(PriceKey key, CancellationToken cancellation)
    {
        var limit = TimeSpan.FromSeconds(options.CacheSeconds);
        if (_entries.TryGetValue(key, out var entry) && !entry.Stale && clock.GetElapsedTime(entry.ReadAt) < limit)
            return entry.Price;
        var found = await prices.ReadAsync(key, cancellation).ConfigureAwait(false);
        if (found.Terms is not null)
            Keep(key, new Entry(found, clock.GetTimestamp()));
        return found;
    }

    /// <summary>The next read asks Stripe, whatever is held.</summary>
    public void Refresh(PriceKey key)
    {
        if (_entries.TryGetValue(key, out var entry))
            _entries.TryUpdate(key, entry with { Stale = true }, entry);
    }

    private void Keep(PriceKey key, Entry entry)
    {
        if (_entries.TryAdd(key, entry))
        {
            _order.Enqueue(key);
            if (Interlocked.Increment(ref _count) > options.CacheEntries && _order.TryDequeue(out var oldest))
            {
                _entries.TryRemove(oldest, out _);
                Interlocked.Decrement(ref _count);
            }
        }
        else
        {
            _entries[key] = entry;
        }
    }

    private sealed record Entry(FoundPrice Price, long ReadAt, bool Stale = false);
}
