using StripeMeter.Metering.Mappings;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Pusher.Raising;

/// <summary>
/// Marks the counters of mappings that came or changed. Whoever stores a mapping does so at once; this is for when he, or the
/// store, ended between the two, and for sweeps that ended between clearing marks and finding a new mapping.
/// </summary>
internal sealed class ChangedMappings(IMeterStore store, PusherOptions options, TimeProvider clock)
{
    /// <summary>From one look at all mappings to the next.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>What changed longer before the first look has been marked by those that looked before.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromDays(7);

    private Dictionary<(TenantId Tenant, string Id), Instant>? _marked;
    private long _lookedAt;

    /// <summary>Looks if it is time. Marks are durable when it returns; what failed is marked by the next look.</summary>
    public async Task MarkAsync(CancellationToken cancellation)
    {
        if (_marked is not null && clock.GetElapsedTime(_lookedAt) < Interval)
            return;
        var marked = new Dictionary<(TenantId, string), Instant>();
        await foreach (var (tenant, mapping) in TenantMappings.OfAllAsync(store, options, cancellation).ConfigureAwait(false))
        {
            if (IsNew(tenant, mapping))
                await store.Of(tenant).Projection.MarkDirtyAsync(mapping.Metric, cancellation).ConfigureAwait(false);
            marked[(tenant, mapping.Id)] = mapping.Updated;
        }

        (_marked, _lookedAt) = (marked, clock.GetTimestamp());
    }

    private bool IsNew(TenantId tenant, Mapping mapping) => _marked is null
        ? mapping.Updated >= Instant.Of(clock.GetUtcNow()) - Memory
        : !_marked.TryGetValue((tenant, mapping.Id), out var updated) || updated != mapping.Updated;
}
