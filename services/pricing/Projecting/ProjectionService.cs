using Grpc.Core;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Time;
using StripeMeter.Pricing.Checking;
using StripeMeter.Pricing.Credits;
using StripeMeter.Pricing.Prices;
using StripeMeter.V1;

namespace StripeMeter.Pricing.Projecting;

/// <summary>Says what usage costs: counters of the aggregator, mappings of the pusher, prices and credits of Stripe.</summary>
public sealed class ProjectionService(
    UsageService.UsageServiceClient usages, MappedPrices mapped, CustomerCredits credits, UsageForecasts forecasts, InvoiceChecks checks,
    PriceCache prices, TimeProvider clock) : PricingService.PricingServiceBase
{
    [Access(AccessKind.Read, Scopes.UsageRead, ForCustomers = true)]
    public override async Task<GetProjectionResponse> GetProjection(GetProjectionRequest request, ServerCallContext context)
    {
        var cancellation = context.CancellationToken;
        var reading = mapped.OfTenantAsync(request.TenantId, cancellation);
        var usage = await usages.GetCurrentUsageAsync(
            new GetCurrentUsageRequest { TenantId = request.TenantId, CustomerRef = request.CustomerRef, AtTime = request.AtTime },
            cancellationToken: cancellation).ConfigureAwait(false);
        var projection = Projection.Of(request.CustomerRef, usage, await reading.ConfigureAwait(false));
        var found = await CreditsOfAsync(projection, cancellation).ConfigureAwait(false);
        var response = Answer(projection, found);
        var now = Instant.Of(clock.GetUtcNow());
        if (request.IncludeForecast && projection.Period.Contains(now))
            response.Forecast = await forecasts.ReadAsync(request.TenantId, projection, found.Credits, now, cancellation).ConfigureAwait(false);
        return response;
    }

    [Access(AccessKind.Internal)]
    public override Task<RefreshPriceResponse> RefreshPrice(RefreshPriceRequest request, ServerCallContext context)
    {
        if (request.PriceId.Length == 0)
            throw RpcErrors.Invalid("price_id", "is required");
        prices.Refresh(new PriceKey(request.StripeAccount.Length > 0 ? request.StripeAccount : StripeReads.OwnAccount, request.PriceId));
        return Task.FromResult(new RefreshPriceResponse());
    }

    [Access(AccessKind.Read, Scopes.ReconciliationRead)]
    public override Task<CheckInvoiceResponse> CheckInvoice(CheckInvoiceRequest request, ServerCallContext context) =>
        checks.CheckAsync(request, context.CancellationToken);

    private async Task<ApplicableCredits> CreditsOfAsync(Projection projection, CancellationToken cancellation)
    {
        var (key, note) = projection.CreditKey();
        return key is { } known
            ? await credits.ReadAsync(
                known, projection.Currency, [.. projection.Priced.Select(line => line.Mapping.PriceId)], cancellation).ConfigureAwait(false)
            : new ApplicableCredits([], note);
    }

    private static GetProjectionResponse Answer(Projection projection, ApplicableCredits found)
    {
        var invoice = projection.Bill(projection.Priced.Select(line => line.Item.Quantity), found.Credits);
        foreach (var (line, billed) in projection.Priced.Zip(invoice?.Lines ?? []))
            ProjectionLines.Fill(line.Line, billed);
        var response = new GetProjectionResponse
        {
            CustomerRef = projection.Customer,
            PeriodStart = projection.Period.Start.ToTimestamp(),
            PeriodEnd = projection.Period.End.ToTimestamp(),
            Currency = projection.Currency.Code,
            Subtotal = AmountText.Of(invoice?.Subtotal ?? 0, projection.Currency),
            Credits = AmountText.Of(invoice?.Credits ?? 0, projection.Currency),
            Total = AmountText.Of(invoice?.Total ?? 0, projection.Currency),
            CreditsNote = found.Note,
            NewestEventTime = projection.NewestEvent,
            UpdatedTime = projection.Updated,
        };
        response.Lines.AddRange(projection.Lines);
        return response;
    }
}
