using Grpc.Core;
using StripeMeter.Defaults.Errors;
using StripeMeter.Metering.Pricing;
using StripeMeter.Pricing.Prices;
using StripeMeter.V1;

namespace StripeMeter.Pricing.Projecting;

/// <summary>Says what usage costs: counters of the aggregator, mappings of the pusher, prices of Stripe.</summary>
public sealed class ProjectionService(
    UsageService.UsageServiceClient usages, MappingService.MappingServiceClient mappings, PriceCache prices, PricingOptions options)
    : PricingService.PricingServiceBase
{
    private const string CurrencyWithoutMapping = "usd";
    private const string NoCredits = "0";

    public override async Task<GetProjectionResponse> GetProjection(GetProjectionRequest request, ServerCallContext context)
    {
        var mapped = ListMappingsAsync(request.TenantId, context.CancellationToken);
        var usage = await usages.GetCurrentUsageAsync(
            new GetCurrentUsageRequest { TenantId = request.TenantId, CustomerRef = request.CustomerRef, AtTime = request.AtTime },
            cancellationToken: context.CancellationToken).ConfigureAwait(false);
        var active = await mapped.ConfigureAwait(false);
        var found = await ReadPricesAsync(active, context.CancellationToken).ConfigureAwait(false);
        return Project(request.CustomerRef, usage, active, found);
    }

    private static GetProjectionResponse Project(
        string customer, GetCurrentUsageResponse usage, List<Mapping> active, Dictionary<PriceKey, FoundPrice> found)
    {
        var currency = CurrencyOf(active, found);
        var counters = usage.Counters.ToDictionary(counter => counter.Metric);
        var response = new GetProjectionResponse
        {
            CustomerRef = customer,
            PeriodStart = usage.PeriodStart,
            PeriodEnd = usage.PeriodEnd,
            Currency = currency.Code,
            Credits = NoCredits,
        };
        var subtotal = 0L;
        foreach (var mapping in active)
        {
            var counter = counters.GetValueOrDefault(mapping.Metric);
            response.Lines.Add(ProjectionLines.Of(mapping, counter, found.GetValueOrDefault(KeyOf(mapping)), out var minorUnits));
            subtotal = checked(subtotal + minorUnits);
            response.NewestEventTime = Newest(response.NewestEventTime, counter?.Watermark);
            response.UpdatedTime = Newest(response.UpdatedTime, counter?.ProjectedTime);
        }

        response.Subtotal = AmountText.Of(subtotal, currency);
        response.Total = response.Subtotal;
        return response;
    }

    /// <summary>All active mappings of a tenant, in the order of their metrics.</summary>
    private async Task<List<Mapping>> ListMappingsAsync(string tenant, CancellationToken cancellation)
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

    private async Task<Dictionary<PriceKey, FoundPrice>> ReadPricesAsync(List<Mapping> active, CancellationToken cancellation)
    {
        var found = new Dictionary<PriceKey, FoundPrice>();
        var keys = active.Where(mapping => mapping.PriceId.Length > 0).Select(KeyOf).Distinct();
        foreach (var some in keys.Chunk(options.ConcurrentReads))
        {
            var read = await Task.WhenAll(some.Select(key => prices.ReadAsync(key, cancellation))).ConfigureAwait(false);
            foreach (var (key, price) in some.Zip(read))
                found.Add(key, price);
        }

        return found;
    }

    /// <summary>The one currency of the prices. Amounts of several cannot be added.</summary>
    private static Currency CurrencyOf(List<Mapping> active, Dictionary<PriceKey, FoundPrice> found)
    {
        var currencies = found.Values.Where(price => price.Terms is not null).Select(price => price.Terms!.Currency).Distinct().ToArray();
        return currencies.Length switch
        {
            1 => currencies[0],
            0 => new Currency(active.Select(mapping => mapping.Currency).FirstOrDefault(code => code.Length == 3, CurrencyWithoutMapping)),
            _ => throw RpcErrors.FailedPrecondition(
                "MIXED_CURRENCIES",
                $"The mapped prices are in {string.Join(" and ", currencies.Select(currency => currency.Code).Order())}: their amounts cannot be added."),
        };
    }

    private static PriceKey KeyOf(Mapping mapping) => new(mapping.StripeAccount, mapping.PriceId);

    private static Google.Protobuf.WellKnownTypes.Timestamp? Newest(
        Google.Protobuf.WellKnownTypes.Timestamp? left, Google.Protobuf.WellKnownTypes.Timestamp? right) =>
        left is null || (right is not null && right.CompareTo(left) > 0) ? right : left;
}
