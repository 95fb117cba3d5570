using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;
using StripeMeter.Pusher.Mappings;
using StripeMeter.Pusher.Raising;
using StripeMeter.Pusher.StripeApi;
using StripeMeter.V1;

namespace StripeMeter.Pusher.Recording;

/// <summary>Where the driver tells usage.</summary>
/// <param name="Key">The document.</param>
/// <param name="Meter">How its meter wants events.</param>
/// <param name="Period">The billing period.</param>
/// <param name="BilledFrom">When the subscription item and its price began; the epoch where a meter is named.</param>
internal readonly record struct DriverPlace(DeltaKey Key, MeterNames Meter, BillingPeriod Period, Instant BilledFrom);

/// <summary>Finds what a target of the driver means at Stripe, and refuses meters that are told otherwise.</summary>
internal sealed class DriverTargets(IMeterStore store, StripeAccounts accounts, PusherOptions options)
{
    private const int StripeCustomerLength = 100;
    private const string Fields = "target.";
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    public async Task<DriverPlace> FindAsync(ITenantStore tenant, DriverTarget? target, CancellationToken cancellation)
    {
        Check(target);
        var isTest = target!.Mode == DriverMode.Test;
        var named = target.StripeAccount.Length > 0 ? target.StripeAccount : StripeCalls.OwnAccount;
        StripeCalls calls = isTest ? ShadowOf(named) : BilledOf(named);
        var account = await StripeAccounts.ResolveAsync(calls, named, cancellation).ConfigureAwait(false)
            ?? throw RpcErrors.Unavailable("The account of the key is not known now: " + calls.Problem, RetryAfter);
        var told = target.SubscriptionItemId.Length > 0
            ? await OfItemAsync(calls, account, target.SubscriptionItemId, cancellation).ConfigureAwait(false)
            : (target.MeterId, target.StripeCustomer, IsLegacy: false, Began: default);
        var names = told.IsLegacy
            ? new MeterNames("", "", "") { Sink = SinkKind.UsageRecords }
            : await MeterFinder.ReadNamesAsync(calls, account.Id, told.MeterId, Fields, cancellation).ConfigureAwait(false);
        var isOwn = account.Id == await calls.OwnAsync(cancellation).ConfigureAwait(false);
        await RefuseMappedAsync(tenant, isTest, isOwn ? StripeCalls.OwnAccount : account.Id, told.MeterId, cancellation).ConfigureAwait(false);
        return new DriverPlace(new DeltaKey(account.Id, account.Livemode, told.MeterId, told.StripeCustomer), names, PeriodOf(target), told.Began);
    }

    private ShadowCalls ShadowOf(string account) => accounts.ShadowOf(account)
        ?? throw RpcErrors.FailedPrecondition(
            "NO_STRIPE_TEST_KEY", "target.mode test needs STRIPE_TEST_SECRET_KEY. A live key is never used instead.");

    private BilledCalls BilledOf(string account) => accounts.BilledOf(account)
        ?? throw RpcErrors.FailedPrecondition("NO_STRIPE_KEY", "target.mode live needs STRIPE_SECRET_KEY.");

    private static void Check(DriverTarget? target)
    {
        if (target is null)
            throw RpcErrors.Invalid("target", "is required");
        if (target.Mode is not (DriverMode.Live or DriverMode.Test))
            throw RpcErrors.Invalid(Fields + "mode", "must be live or test");
        var isItem = target.SubscriptionItemId.Length > 0;
        if (isItem && (target.MeterId + target.StripeCustomer).Length > 0)
            throw RpcErrors.Invalid(Fields + "subscription_item_id", "says where already: leave meter_id and stripe_customer empty");
        if (!isItem && target.MeterId.Length == 0)
            throw RpcErrors.Invalid(Fields + "meter_id", "is required without a subscription item");
        if (!isItem && target.StripeCustomer.Length is 0 or > StripeCustomerLength)
            throw RpcErrors.Invalid(Fields + "stripe_customer", $"must have 1 to {StripeCustomerLength} characters");
    }

    private static BillingPeriod PeriodOf(DriverTarget target)
    {
        var start = TimeOf("period_start", target.PeriodStart ?? throw RpcErrors.Invalid(Fields + "period_start", "is required"));
        if (target.PeriodEnd is null)
            return PeriodClock.CalendarMonths.PeriodOf("", start);
        var end = TimeOf("period_end", target.PeriodEnd);
        return end > start ? new BillingPeriod(start, end) : throw RpcErrors.Invalid(Fields + "period_end", "must be after period_start");
    }

    private static Instant TimeOf(string field, Google.Protobuf.WellKnownTypes.Timestamp time) =>
        time.TryToInstant(out var instant) is { } reason ? throw RpcErrors.Invalid(Fields + field, reason) : instant;

    /// <summary>The meter and customer of an item; for one whose price has no meter, the price and the item itself.</summary>
    private static async Task<(string MeterId, string StripeCustomer, bool IsLegacy, Instant Began)> OfItemAsync(
        StripeCalls calls, AccountMode account, string itemId, CancellationToken cancellation)
    {
        const string field = Fields + "subscription_item_id";
        var request = calls.RequestFor(account.Id);
        var item = await MeterFinder.AskAsync(
            () => calls.Client.V1.SubscriptionItems.GetAsync(itemId, null, request, cancellation), field, cancellation).ConfigureAwait(false);
        if (item.Price?.Recurring?.UsageType != "metered")
            throw RpcErrors.Invalid(field, "has a price that is not metered");
        var began = Instant.Max(Instant.Of(item.Created), Instant.Of(item.Price.Created));
        if (item.Price.Recurring.Meter is not { Length: > 0 } meter)
            return (item.Price.Id, item.Id, true, began);
        var subscription = await MeterFinder.AskAsync(
            () => calls.Client.V1.Subscriptions.GetAsync(item.Subscription, null, request, cancellation), field, cancellation).ConfigureAwait(false);
        return (meter, subscription.CustomerId, false, began);
    }

    private async Task RefuseMappedAsync(ITenantStore tenant, bool isTest, string account, string meterId, CancellationToken cancellation)
    {
        var isMapped = !isTest
            && await Call.AsSystemAsync(() => store.Work.TenantOfMeterAsync(account, meterId, cancellation)).ConfigureAwait(false) is not null;
        if (isTest)
        {
            var mappings = await TenantMappings.LoadAsync(tenant, options.MappingsOfTenant, cancellation).ConfigureAwait(false);
            isMapped = mappings.All.Any(mapping => mapping.Shadow && mapping.ShadowMeterId == meterId);
        }

        if (isMapped)
            throw RpcErrors.FailedPrecondition("METER_TAKEN", $"A mapping feeds the meter {meterId}; what it counts is told already.");
    }
}
