using System.ComponentModel.DataAnnotations;
using StripeMeter.Defaults.Configuration;

namespace StripeMeter.Pricing;

/// <summary>Bounds of pricing.</summary>
public sealed class PricingOptions
{
    /// <summary>Seconds for which a price read from Stripe is used. A price's amount never changes there; whether it exists may.</summary>
    [Setting("PRICE_CACHE_SECONDS"), Range(0, 86_400)]
    public int CacheSeconds { get; set; } = 300;

    /// <summary>Prices held in memory, and customers with their credits. When there are more, the oldest goes.</summary>
    [Setting("PRICE_CACHE_ENTRIES"), Range(1, 1_000_000)]
    public int CacheEntries { get; set; } = 10_000;

    /// <summary>Seconds for which the credits of a customer are used.</summary>
    [Setting("CREDIT_CACHE_SECONDS"), Range(0, 86_400)]
    public int CreditCacheSeconds { get; set; } = 60;

    /// <summary>Prices or balances asked of Stripe, and histories of the aggregator, at a time for one projection: Stripe's rate limit is shared with the pushes.</summary>
    [Setting("PRICE_CONCURRENT_READS"), Range(1, 100)]
    public int ConcurrentReads { get; set; } = 8;

    /// <summary>Seconds after which a call to a service, or to Stripe, is given up.</summary>
    [Setting("PRICING_CALL_TIMEOUT_SECONDS"), Range(1, 300)]
    public int CallTimeoutSeconds { get; set; } = 8;

    /// <summary>Counters read at a time to compare prices.</summary>
    public int CounterPage { get; } = 1_000;

    /// <summary>Mapped metrics of one projection, and metrics of two price lists that are compared.</summary>
    public int MaximumLines { get; } = 1_000;
}
