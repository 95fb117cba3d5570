using System.Runtime.CompilerServices;
using StripeMeter.Metering.Mappings;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Pusher.Raising;

/// <summary>The active mappings of a tenant at one moment.</summary>
internal sealed class TenantMappings
{
    private const int PageMappings = 1_000;
    private readonly Dictionary<string, Mapping> _byMetric;

    private TenantMappings(IEnumerable<Mapping> mappings) => _byMetric = mappings.ToDictionary(mapping => mapping.Metric, StringComparer.Ordinal);

    public IEnumerable<Mapping> All => _byMetric.Values;

    public static async Task<TenantMappings> LoadAsync(ITenantStore store, int limit, CancellationToken cancellation)
    {
        var mappings = new List<Mapping>();
        while (mappings.Count < limit)
        {
            var page = await store.Mappings.ListAsync(
                metric: null, active: true, mappings.Count == 0 ? null : mappings[^1].Id, PageMappings, cancellation).ConfigureAwait(false);
            mappings.AddRange(page);
            if (page.Count < PageMappings)
                break;
        }

        // A page read later may hold the successor of a mapping in an earlier one.
        return new TenantMappings(mappings.GroupBy(mapping => mapping.Metric).Select(same => same.MaxBy(mapping => mapping.Updated)!));
    }

    /// <summary>The active mappings of every tenant.</summary>
    public static async IAsyncEnumerable<(TenantId Tenant, Mapping Mapping)> OfAllAsync(
        IMeterStore store, PusherOptions options, [EnumeratorCancellation] CancellationToken cancellation)
    {
        TenantId? after = null;
        while (true)
        {
            var tenants = await store.Work.TenantsWithMappingsAsync(after, options.WorkPage, cancellation).ConfigureAwait(false);
            foreach (var tenant in tenants)
            {
                foreach (var mapping in (await LoadAsync(store.Of(tenant), options.MappingsOfTenant, cancellation).ConfigureAwait(false)).All)
                    yield return (tenant, mapping);
            }

            if (tenants.Count < options.WorkPage)
                yield break;
            after = tenants[^1];
        }
    }

    public Mapping? Of(string metric) => _byMetric.GetValueOrDefault(metric);

    /// <summary>Metrics whose mapping is another one there, or not there, or only there.</summary>
    public IEnumerable<string> DifferFrom(TenantMappings other) => _byMetric.Keys.Union(other._byMetric.Keys)
        .Where(metric => Of(metric) is not { } here || other.Of(metric) is not { } there || (here.Id, here.Updated) != (there.Id, there.Updated));
}
