using StripeMeter.Metering.Mappings;

namespace StripeMeter.Metering.Reconciling;

/// <summary>What a tenant's mappings say of its meters.</summary>
internal sealed class MappedMeters
{
    private readonly HashSet<(string Metric, string MeterId)> _sums = [];
    private readonly HashSet<string> _shadows = new(StringComparer.Ordinal);
    private readonly HashSet<string> _billed = new(StringComparer.Ordinal);

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
    /// <param name="meterId">The meter.</param>
    /// <param name="wasShadow">Whether it was: with its mapping gone, it is that still.</param>
    public bool IsShadow(string meterId, bool wasShadow) => _shadows.Contains(meterId) || (wasShadow && !_billed.Contains(meterId));

    private void Add(Mapping mapping)
    {
        if (mapping.ShadowMeterId.Length > 0)
            _shadows.Add(mapping.ShadowMeterId);
        _billed.Add(mapping.MeterId);
        if (mapping is { Active: true, Aggregation: Aggregation.Sum })
            _sums.Add((mapping.Metric, mapping.MeterId));
    }
}
