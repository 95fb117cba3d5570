using Grpc.Core;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Invoicing;
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

    public override Task<RefreshPriceResponse> RefreshPrice(RefreshPriceRequest request, ServerCallContext context)
    {
        if (request.PriceId.Length == 0)
            throw RpcErrors.Invalid("price_id", "is required");
        prices.Refresh(new PriceKey(request.StripeAccount.Length > 0 ? request.StripeAccount : StripePrices.OwnAccount, request.PriceId));
        return Task.FromResult(new RefreshPriceResponse());
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
        var items = new List<UsageItem>();
        var priced = new List<ProjectionLine>();
        foreach (var mapping in active)
        {
            var counter = counters.GetValueOrDefault(mapping.Metric);
            var (item, line) = ProjectionLines.Of(mapping, counter, found.GetValueOrDefault(KeyOf(mapping)));
            response.Lines.Add(line);
            if (item is not null)
            {
                items.Add(item);
                priced.Add(line);
            }

            response.NewestEventTime = Newest(response.NewestEventTime, counter?.Watermark);
            response.UpdatedTime = Newest(response.UpdatedTime, counter?.ProjectedTime);
        }

        var total = Bill(customer, PeriodOf(usage), items, priced);
        response.Subtotal = AmountText.Of(total, currency);
        response.Total = response.Subtotal;
        return response;
    }

    /// <summary>Writes the invoice of the items into their lines.</summary>
    private static long Bill(string customer, BillingPeriod period, List<UsageItem> items, List<ProjectionLine> priced)
    {
        if (items.Count == 0)
            return 0;
        try
        {
            var invoice = InvoiceSimulator.Simulate(customer, period, items);
            foreach (var (line, billed) in priced.Zip(invoice.Lines))
                ProjectionLines.Fill(line, billed);
            return invoice.Total;
        }
        catch (PricingException problem)
        {
            throw RpcErrors.FailedPrecondition("UNPRICEABLE", problem.Message);
        }
    }

    private static BillingPeriod PeriodOf(GetCurrentUsageResponse usage) =>
        usage.PeriodStart.TryToInstant(out var start) is null && usage.PeriodEnd.TryToInstant(out var end) is null
            ? new BillingPeriod(start, end)
            : throw RpcErrors.FailedPrecondition("NO_PERIOD", "The aggregator names no billing period.");

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
