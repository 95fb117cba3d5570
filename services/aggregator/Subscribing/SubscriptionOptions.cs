using System.ComponentModel.DataAnnotations;
using StripeMeter.Defaults.Configuration;

namespace StripeMeter.Aggregator.Subscribing;

/// <summary>Bounds of announcing changes.</summary>
public sealed class SubscriptionOptions
{
    /// <summary>Milliseconds between two announcements of changed counters.</summary>
    [Setting("ANNOUNCE_INTERVAL_MS"), Range(10, 600_000)]
    public int AnnounceIntervalMs { get; set; } = 500;

    /// <summary>Tenants named in one announcement; others are found by the pusher's sweep.</summary>
    public int AnnouncedTenants { get; } = 1_000;
}
