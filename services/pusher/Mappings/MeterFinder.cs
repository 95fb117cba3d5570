using System.Net;
using Grpc.Core;
using Stripe;
using Stripe.Billing;
using StripeMeter.Defaults.Errors;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Time;
using StripeMeter.Pusher.StripeApi;
using Mapping = StripeMeter.V1.Mapping;
using MeterSink = StripeMeter.V1.MeterSink;

namespace StripeMeter.Pusher.Mappings;

/// <summary>
/// Finds the meter of a mapping at Stripe, by price, id or event name, and says why it cannot be used.
/// See https://docs.stripe.com/billing/subscriptions/usage-based/meters/configure.
/// </summary>
internal sealed class MeterFinder(StripeAccounts accounts)
{
    private const int PageMeters = 100;
    private const int MaximumMeters = 10_000;
    private const string Billed = "mapping.";
    private const string Shadow = "mapping.shadow_";
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    /// <summary>Fills in what Stripe says of the billed meter. The account of the key itself is kept under its general name.</summary>
    /// <returns>When the price began; the epoch without one.</returns>
    /// <exception cref="RpcException">The meter cannot be found or used, or Stripe does not answer now.</exception>
    public async Task<Instant> CompleteAsync(Mapping mapping, CancellationToken cancellation)
    {
        var calls = accounts.BilledOf(mapping.StripeAccount)
            ?? throw RpcErrors.FailedPrecondition("NO_STRIPE_KEY", "No Stripe key is configured, so the meter cannot be read.");
        mapping.StripeAccount = await NameAsync(calls, mapping.StripeAccount, Billed + "stripe_account", cancellation).ConfigureAwait(false);
        var wish = new MeterWish(mapping.StripeAccount, mapping.PriceId, mapping.MeterId, mapping.MeterEventName, mapping.Currency, Billed);
        var found = await FindAsync(calls, wish, cancellation).ConfigureAwait(false);
        (mapping.MeterId, mapping.MeterEventName, mapping.Currency) = (found.Id, found.EventName, found.Currency);
        (mapping.MeterCustomerKey, mapping.MeterValueKey, mapping.MeterSink) = (found.CustomerKey, found.ValueKey, found.Sink);
        return found.PriceBegan;
    }

    /// <summary>Fills in what Stripe says of the meter that shadow usage goes to, asked with a test key.</summary>
    /// <returns>When the price began; the epoch without one.</returns>
    /// <exception cref="RpcException">There is no test key, or the meter cannot be found or used, or Stripe does not answer now.</exception>
    public async Task<Instant> CompleteShadowAsync(Mapping mapping, CancellationToken cancellation)
    {
        if (mapping.ShadowStripeAccount.Length == 0)
            mapping.ShadowStripeAccount = StripeCalls.OwnAccount;
        var calls = ShadowOf(mapping);
        mapping.ShadowStripeAccount = await NameAsync(calls, mapping.ShadowStripeAccount, Shadow + "stripe_account", cancellation).ConfigureAwait(false);
        var wish = new MeterWish(
            mapping.ShadowStripeAccount, mapping.ShadowPriceId, mapping.ShadowMeterId, mapping.ShadowMeterEventName, mapping.Currency, Shadow);
        var found = await FindAsync(calls, wish, cancellation).ConfigureAwait(false);
        if (found.Sink == MeterSink.UsageRecords)
            throw Invalid(Shadow + "price_id", "has no meter: shadow usage needs one");
        (mapping.ShadowMeterId, mapping.ShadowMeterEventName) = (found.Id, found.EventName);
        (mapping.ShadowMeterCustomerKey, mapping.ShadowMeterValueKey, mapping.ShadowMeterSink) = (found.CustomerKey, found.ValueKey, found.Sink);
        await RefuseBilledMeterAsync(mapping, cancellation).ConfigureAwait(false);
        return found.PriceBegan;
    }

    /// <exception cref="RpcException">There is no test key, and a live one is never taken instead.</exception>
    public ShadowCalls ShadowOf(Mapping mapping) => accounts.ShadowOf(mapping.ShadowStripeAccount)
        ?? throw RpcErrors.FailedPrecondition(
            "NO_STRIPE_TEST_KEY", "mapping.shadow needs a test key: set STRIPE_TEST_SECRET_KEY. A live key is never used instead.");

    /// <summary>How a meter wants its events, for usage that no mapping tells.</summary>
    /// <param name="calls">Calls to its account.</param>
    /// <param name="account">As a mapping would name it.</param>
    /// <param name="meterId">The meter.</param>
    /// <param name="fields">What the names of the fields begin with that a refusal names.</param>
    /// <param name="cancellation">Ends the call.</param>
    public static async Task<MeterNames> ReadNamesAsync(
        StripeCalls calls, string account, string meterId, string fields, CancellationToken cancellation)
    {
        var found = await FindAsync(calls, new MeterWish(account, "", meterId, "", "", fields), cancellation).ConfigureAwait(false);
        return new MeterNames(found.EventName, found.CustomerKey, found.ValueKey) { Sink = (SinkKind)((int)found.Sink - 1) };
    }

    /// <summary>Asks Stripe, and says of a refusal which field it is about.</summary>
    public static Task<T> AskAsync<T>(Func<Task<T>> call, string field, CancellationToken cancellation) => GuardAsync(call, field, cancellation);

    private async Task RefuseBilledMeterAsync(Mapping mapping, CancellationToken cancellation)
    {
        var billed = await StripeAccounts.ResolveAsync(accounts.BilledOf(mapping.StripeAccount), mapping.StripeAccount, cancellation).ConfigureAwait(false);
        var shadow = await StripeAccounts.ResolveAsync(ShadowOf(mapping), mapping.ShadowStripeAccount, cancellation).ConfigureAwait(false);
        if (billed == shadow && mapping.MeterId == mapping.ShadowMeterId)
            throw Invalid(Shadow + "price_id", "leads to the meter that is billed; shadow usage needs a meter of its own");
    }

    private static async Task<string> NameAsync(StripeCalls calls, string account, string field, CancellationToken cancellation) =>
        account == await GuardAsync(() => calls.OwnAsync(cancellation).AsTask(), field, cancellation).ConfigureAwait(false)
            ? StripeCalls.OwnAccount
            : account;

    private static async Task<FoundMeter> FindAsync(StripeCalls calls, MeterWish wish, CancellationToken cancellation)
    {
        Instant began = default;
        if (wish.PriceId.Length > 0)
        {
            var price = await ReadPriceAsync(calls, wish, cancellation).ConfigureAwait(false);
            if (price.Recurring?.Meter is not { Length: > 0 } billed)
                return OfLegacyPrice(price, wish);
            if (wish.MeterId.Length > 0 && wish.MeterId != billed)
                throw Invalid(wish.Fields + "meter_id", $"is not the meter of the price, which is {billed}");
            wish = wish with { MeterId = billed, Currency = price.Currency };
            began = Instant.Of(price.Created);
        }

        var meter = wish.MeterId.Length > 0
            ? await ReadMeterAsync(calls, wish, cancellation).ConfigureAwait(false)
            : await FindByEventNameAsync(calls, wish, cancellation).ConfigureAwait(false);
        var sink = SinkOf(meter, wish.Fields + (wish.PriceId.Length > 0 ? "price_id" : "meter_id"));
        if (wish.EventName.Length > 0 && wish.EventName != meter.EventName)
            throw Invalid(wish.Fields + "meter_event_name", $"is not that of the meter {meter.Id}, which is {meter.EventName}");
        return new FoundMeter(meter.Id, meter.EventName, meter.CustomerMapping.EventPayloadKey, meter.ValueSettings.EventPayloadKey, sink, wish.Currency, began);
    }

    private static async Task<Price> ReadPriceAsync(StripeCalls calls, MeterWish wish, CancellationToken cancellation)
    {
        var price = await GuardAsync(
            () => calls.Client.V1.Prices.GetAsync(wish.PriceId, null, calls.RequestFor(wish.Account), cancellation),
            wish.Fields + "price_id", cancellation).ConfigureAwait(false);
        return wish.Currency.Length == 0 || wish.Currency == price.Currency
            ? price
            : throw Invalid(Billed + "currency", $"is not that of the price {price.Id}, which is {price.Currency}");
    }

    /// <summary>A metered price from before there were meters: its subscription items are told, and it stands for the meter.</summary>
    private static FoundMeter OfLegacyPrice(Price price, MeterWish wish)
    {
        if (price.Recurring?.UsageType != "metered")
            throw Invalid(wish.Fields + "price_id", "has no meter: only metered prices can be mapped");
        return wish.MeterId.Length == 0 || wish.MeterId == price.Id
            ? new FoundMeter(price.Id, "", "", "", MeterSink.UsageRecords, price.Currency, Instant.Of(price.Created))
            : throw Invalid(wish.Fields + "meter_id", "is not the meter of the price, which has none");
    }

    private static Task<Meter> ReadMeterAsync(StripeCalls calls, MeterWish wish, CancellationToken cancellation) => GuardAsync(
        () => calls.Client.V1.Billing.Meters.GetAsync(wish.MeterId, null, calls.RequestFor(wish.Account), cancellation),
        wish.Fields + "meter_id", cancellation);

    private static Task<Meter> FindByEventNameAsync(StripeCalls calls, MeterWish wish, CancellationToken cancellation) => GuardAsync(
        async () =>
        {
            var options = new MeterListOptions { Status = "active", Limit = PageMeters };
            var meters = calls.Client.V1.Billing.Meters.ListAutoPagingAsync(options, calls.RequestFor(wish.Account), cancellation);
            var seen = 0;
            await foreach (var meter in meters.ConfigureAwait(false))
            {
                if (meter.EventName == wish.EventName)
                    return meter;
                if (++seen == MaximumMeters)
                    break;
            }

            throw Invalid(wish.Fields + "meter_event_name", "is not that of an active meter");
        },
        wish.Fields + "meter_event_name", cancellation);

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

    private static RpcException Invalid(string field, string reason) => RpcErrors.Invalid(field, reason);

    /// <summary>What a mapping says of a meter.</summary>
    /// <param name="Account">As the mapping names it.</param>
    /// <param name="PriceId">May be empty, as what follows.</param>
    /// <param name="MeterId">Of the meter.</param>
    /// <param name="EventName">Of the meter.</param>
    /// <param name="Currency">Of the price.</param>
    /// <param name="Fields">What the names of its fields begin with.</param>
    private sealed record MeterWish(string Account, string PriceId, string MeterId, string EventName, string Currency, string Fields);

    private readonly record struct FoundMeter(
        string Id, string EventName, string CustomerKey, string ValueKey, MeterSink Sink, string Currency, Instant PriceBegan);
}
