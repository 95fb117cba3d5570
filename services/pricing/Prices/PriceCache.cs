namespace StripeMeter.Pricing.Prices;

/// <summary>Prices by key, for a while, and not too many. What could not be found is asked again each time.</summary>
public sealed class PriceCache(StripePrices prices, PricingOptions options, TimeProvider clock)
{
    private readonly AgedCache<PriceKey, FoundPrice> _held = new(
        TimeSpan.FromSeconds(options.CacheSeconds), options.CacheEntries, found => found.Terms is not null, clock);

    /// <exception cref="Grpc.Core.RpcException">Stripe does not answer now.</exception>
    public Task<FoundPrice> ReadAsync(PriceKey key, CancellationToken cancellation) =>
        _held.ReadAsync(key, () => prices.ReadAsync(key, cancellation));

    /// <summary>The next read asks Stripe, whatever is held.</summary>
    public void Refresh(PriceKey key) => _held.Refresh(key);
}
