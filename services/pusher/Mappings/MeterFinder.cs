using System.Net;
using Grpc.Core;
using Stripe;
using Stripe.Billing;
using StripeMeter.Defaults.Errors;
using StripeMeter.Pusher.StripeApi;
using Mapping = StripeMeter.V1.Mapping;
using MeterSink = StripeMeter.V1.MeterSink;

namespace StripeMeter.Pusher.Mappings;

/// <summary>
/// Finds the meter of a mapping at Stripe, by price, id or event name, and says why it cannot be used.
/// See https://docs.stripe.com/billing/subscriptions/usage-based/meters/configure.
/// </summary>
internal sealed class MeterFinder(StripeCalls calls)
{
    private const int PageMeters = 100;
    private const int MaximumMeters = 10_000;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    /// <summary>Fills in what Stripe says of the meter. The account of the key itself is kept under its general name.</summary>
    /// <exception cref="RpcException">The meter cannot be found or used, or Stripe does not answer now.</exception>
    public async Task CompleteAsync(Mapping mapping, CancellationToken cancellation)
    {
        if (!calls.IsConfigured)
            throw RpcErrors.FailedPrecondition("NO_STRIPE_KEY", "No Stripe key is configured, so the meter cannot be read.");
        if (mapping.StripeAccount == await GuardAsync(() => calls.OwnAsync(cancellation).AsTask(), "stripe_account", cancellation).ConfigureAwait(false))
            mapping.StripeAccount = StripeCalls.OwnAccount;
        if (mapping.PriceId.Length > 0)
            await ReadPriceAsync(mapping, cancellation).ConfigureAwait(false);
        var meter = mapping.MeterId.Length > 0
            ? await ReadMeterAsync(mapping, cancellation).ConfigureAwait(false)
            : await FindByEventNameAsync(mapping, cancellation).ConfigureAwait(false);
        mapping.MeterSink = SinkOf(meter, mapping.PriceId.Length > 0 ? "price_id" : "meter_id");
        if (mapping.MeterEventName.Length > 0 && mapping.MeterEventName != meter.EventName)
            throw Invalid("meter_event_name", $"is not that of the meter {meter.Id}, which is {meter.EventName}");
        mapping.MeterId = meter.Id;
        mapping.MeterEventName = meter.EventName;
        mapping.MeterCustomerKey = meter.CustomerMapping.EventPayloadKey;
        mapping.MeterValueKey = meter.ValueSettings.EventPayloadKey;
    }

    private async Task ReadPriceAsync(Mapping mapping, CancellationToken cancellation)
    {
        var price = await GuardAsync(
            () => calls.Client.V1.Prices.GetAsync(mapping.PriceId, null, calls.RequestFor(mapping.StripeAccount), cancellation),
            "price_id", cancellation).ConfigureAwait(false);
        if (price.Recurring?.Meter is not { Length: > 0 } meter)
            throw Invalid("price_id", "has no meter: only metered prices that a meter feeds can be mapped");
        if (mapping.MeterId.Length > 0 && mapping.MeterId != meter)
            throw Invalid("meter_id", $"is not the meter of the price, which is {meter}");
        if (mapping.Currency.Length > 0 && mapping.Currency != price.Currency)
            throw Invalid("currency", $"is not that of the price, which is {price.Currency}");
        (mapping.MeterId, mapping.Currency) = (meter, price.Currency);
    }

    private Task<Meter> ReadMeterAsync(Mapping mapping, CancellationToken cancellation) => GuardAsync(
        () => calls.Client.V1.Billing.Meters.GetAsync(mapping.MeterId, null, calls.RequestFor(mapping.StripeAccount), cancellation),
        "meter_id", cancellation);

    private Task<Meter> FindByEventNameAsync(Mapping mapping, CancellationToken cancellation) => GuardAsync(
        async () =>
        {
            var options = new MeterListOptions { Status = "active", Limit = PageMeters };
            var meters = calls.Client.V1.Billing.Meters.ListAutoPagingAsync(options, calls.RequestFor(mapping.StripeAccount), cancellation);
            var seen = 0;
            await foreach (var meter in meters.ConfigureAwait(false))
            {
                if (meter.EventName == mapping.MeterEventName)
                    return meter;
                if (++seen == MaximumMeters)
                    break;
            }

            throw Invalid("meter_event_name", "is not that of an active meter");
        },
        "meter_event_name", cancellation);

    private static MeterSink SinkOf(Meter meter, string field)
    {
        if (meter.Status != "active")
            throw Invalid(field, $"leads to the meter {meter.Id}, which is not active");
        if (meter.DefaultAggregation.Formula == "count")
        {
            throw Invalid(
                field, $"leads to the meter {meter.Id}, which counts events whatever their value: it can tell no difference and no correction; use a sum meter");
        }

        return (meter.DefaultAggregation.Formula, meter.EventTimeWindow) switch
        {
            ("sum", null or "") => MeterSink.Deltas,
            ("sum", "hour") => MeterSink.HourTotals,
            ("sum", "day") => MeterSink.DayTotals,
            ("last", null or "") => MeterSink.RunningTotal,
            var (formula, window) => throw Invalid(
                field, $"leads to the meter {meter.Id} with the formula {formula} and the window {window}; what Stripe makes of the two together it does not say"),
        };
    }

    private static async Task<T> GuardAsync<T>(Func<Task<T>> call, string field, CancellationToken cancellation)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (StripeException problem) when (StripeCalls.Is(problem, HttpStatusCode.NotFound))
        {
            throw Invalid(field, "does not exist at Stripe: " + StripeCalls.Explain(problem));
        }
        catch (StripeException problem) when (StripeCalls.Is(problem, HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden, HttpStatusCode.BadRequest))
        {
            // Stripe names the permission that a restricted key is missing.
            throw RpcErrors.FailedPrecondition("STRIPE_REFUSED", StripeCalls.Explain(problem));
        }
        catch (Exception problem) when (StripeCalls.IsFailure(problem, cancellation))
        {
            throw RpcErrors.Unavailable("Stripe cannot be asked now: " + StripeCalls.Explain(problem), RetryAfter);
        }
    }

    private static RpcException Invalid(string field, string reason) => RpcErrors.Invalid("mapping." + field, reason);
}
