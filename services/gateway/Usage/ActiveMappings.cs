using StripeMeter.V1;

namespace StripeMeter.Gateway.Usage;

/// <summary>Which aggregate of a counter is a metric's usage: the one its active mapping bills, else the sum.</summary>
public sealed class ActiveMappings(MappingService.MappingServiceClient mappings)
{
    private const int PageSize = 1_000;

    /// <summary>The aggregations of all mapped metrics of a tenant.</summary>
    public async Task<IReadOnlyDictionary<string, Aggregation>> OfTenantAsync(string tenant, CancellationToken cancellation)
    {
        var found = new Dictionary<string, Aggregation>();
        var request = new ListMappingsRequest { TenantId = tenant, Active = true, PageSize = PageSize };
        do
        {
            var page = await mappings.ListMappingsAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
            foreach (var mapping in page.Mappings)
                found.TryAdd(mapping.Metric, mapping.Aggregation);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return found;
    }

    public async Task<Aggregation> OfMetricAsync(string tenant, string metric, CancellationToken cancellation)
    {
        var request = new ListMappingsRequest { TenantId = tenant, Metric = metric, Active = true, PageSize = 1 };
        var page = await mappings.ListMappingsAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
        return page.Mappings.Count > 0 ? page.Mappings[0].Aggregation : Aggregation.Sum;
    }
}
