using StripeMeter.Defaults.Errors;
using StripeMeter.V1;

namespace StripeMeter.Pricing.Prices;

/// <summary>The active mappings of a tenant, with the prices that they name.</summary>
public sealed class MappedPrices(MappingService.MappingServiceClient mappings, PriceCache prices, PricingOptions options)
{
    /// <summary>In the order of their metrics.</summary>
    public async Task<IReadOnlyList<MappedPrice>> OfTenantAsync(string tenant, CancellationToken cancellation)
    {
        var active = await ListAsync(tenant, cancellation).ConfigureAwait(false);
        var found = new Dictionary<PriceKey, FoundPrice>();
        var keys = active.Where(mapping => mapping.PriceId.Length > 0).Select(KeyOf).Distinct();
        foreach (var some in keys.Chunk(options.ConcurrentReads))
        {
            var read = await Task.WhenAll(some.Select(key => prices.ReadAsync(key, cancellation))).ConfigureAwait(false);
            foreach (var (key, price) in some.Zip(read))
                found.Add(key, price);
        }

        return [.. active.Select(mapping => new MappedPrice(mapping, found.GetValueOrDefault(KeyOf(mapping))))];
    }

    private async Task<List<Mapping>> ListAsync(string tenant, CancellationToken cancellation)
    {
        var active = new List<Mapping>();
        var request = new ListMappingsRequest { TenantId = tenant, Active = true, PageSize = options.MaximumLines };
        do
        {
            var page = await mappings.ListMappingsAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
            active.AddRange(page.Mappings);
            if (active.Count > options.MaximumLines)
                throw RpcErrors.OutOfRange($"The tenant maps more than {options.MaximumLines} metrics.");
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        active.Sort((left, right) => string.CompareOrdinal(left.Metric, right.Metric));
        return active;
    }

    private static PriceKey KeyOf(Mapping mapping) => new(mapping.StripeAccount, mapping.PriceId);
}

/// <summary>A mapping, and what is found of its price; null if it names none.</summary>
public sealed record MappedPrice(Mapping Mapping, FoundPrice? Price);
