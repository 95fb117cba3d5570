using StripeMeter.Metering.Mappings;

namespace StripeMeter.Metering.Reconciling;

/// <summary>What a tenant's mappings say of its meters.</summary>
internal sealed class MappedMeters
{
    private readonly HashSet<(string Metric, string MeterId)> _sums = [];
    private readonly HashSet<string> _shadows = new(StringComparer.Ordinal);

    public static async Task<MappedMeters> ReadAsync(IMappings mappings, int pageMappings, CancellationToken cancellation)
    {
        var meters = new MappedMeters();
        string? after = null;
        while (true)
        {
            var page = await mappings.ListAsync(null, null, after, pageMappings, cancellation).ConfigureAwait(false);
            foreach (var mapping in page)
                meters.Add(mapping);
            if (page.Count < pageMappings)
                return meters;
            after = page[^1].Id;
        }
    }

    /// <summary>Whether the meter bills the metric's sum, which is what an adjustment changes.</summary>
    public bool BillsSum(string metric, string meterId) => _sums.Contains((metric, meterId));

    /// <summary>Whether the meter is told in a test account what is billed elsewhere.</summary>
    public bool IsShadow(string meterId) => _shadows.Contains(meterId);

    private void Add(Mapping mapping)
    {
        if (mapping.ShadowMeterId.Length > 0)
            _shadows.Add(mapping.ShadowMeterId);
        if (mapping is { Active: true, Aggregation: Aggregation.Sum })
            _sums.Add((mapping.Metric, mapping.MeterId));
    }
}
