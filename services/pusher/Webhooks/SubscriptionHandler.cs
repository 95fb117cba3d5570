using Stripe;
using StripeMeter.Defaults.Telemetry;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Time;
using StripeMeter.Pusher.StripeApi;
using StripeMeter.Pusher.Telemetry;
using StripeMeter.V1;
using PeriodAnchor = StripeMeter.Metering.Periods.PeriodAnchor;

namespace StripeMeter.Pusher.Webhooks;

/// <summary>
/// Where a customer's billing periods begin, as its subscription is now: a change becomes a record in the ledger. Monthly
/// subscriptions only, one anchor per customer.
/// </summary>
internal sealed partial class SubscriptionHandler(
    BilledCustomers customers, InvoiceDeadlines deadlines, AnchorService.AnchorServiceClient anchors, PusherInstruments instruments,
    ILogger<SubscriptionHandler> logger) : IStripeEventHandler
{
    private const string Actor = "stripe";

    public bool Handles(string type) => type is "customer.subscription.created" or "customer.subscription.updated" or "customer.subscription.resumed";

    public async Task HandleAsync(StripeEvent about, AccountMode account, StripeCalls calls, CancellationToken cancellation)
    {
        var subscription = await calls.Client.V1.Subscriptions.GetAsync(
            about.ObjectId, null, calls.RequestFor(account.Id), cancellation).ConfigureAwait(false);
        var lines = LinesOf(subscription, account);
        if (lines.Count == 0 || subscription.Status is "canceled" or "incomplete" or "incomplete_expired")
            return;
        var billed = await customers.FindAsync(account, [.. lines.Select(line => line.Key).Distinct()], cancellation).ConfigureAwait(false);
        foreach (var (key, item) in lines)
        {
            var mapped = billed.Where(customer => customer.Key == key).Select(customer => customer.Tenant);
            await deadlines.EnterStartAsync(key, mapped, BeganOf(item, about), cancellation).ConfigureAwait(false);
        }

        if (lines.Select(line => line.Item.Price.Recurring).FirstOrDefault(each => each is not { Interval: "month", IntervalCount: 1 }) is { } other)
        {
            instruments.NotFollowed(other.Interval);
            LogNotMonthly(logger, subscription.Id, other.IntervalCount, other.Interval);
            return;
        }

        var anchor = AnchorOf(subscription);
        var from = lines.Max(line => line.Item.CurrentPeriodStart);
        foreach (var customer in billed.DistinctBy(customer => (customer.Tenant, customer.Reference)))
            await ChangeAsync(customer, anchor, Instant.Of(from), $"{subscription.Id}/{about.Id}", cancellation).ConfigureAwait(false);
    }

    /// <summary>What is metered, as the delta ledger names it: a customer on a meter, or a legacy item on its price.</summary>
    private static List<(DeltaKey Key, SubscriptionItem Item)> LinesOf(Subscription subscription, AccountMode account) =>
    [
        .. from item in subscription.Items?.Data ?? []
           where item.Price?.Recurring is { UsageType: "metered" }
           select item.Price.Recurring.Meter is { Length: > 0 } meter
               ? (new DeltaKey(account.Id, account.Livemode, meter, subscription.CustomerId), item)
               : (new DeltaKey(account.Id, account.Livemode, item.Price.Id, item.Id), item),
    ];

    /// <summary>
    /// From when an item bills with the price it has: since it is there, the price is there, and it has that price. Of
    /// the last only the event that changed it tells.
    /// </summary>
    private static Instant BeganOf(SubscriptionItem item, StripeEvent about)
    {
        var began = Instant.Max(Instant.Of(item.Created), Instant.Of(item.Price.Created));
        return about.RepricedItems.Contains(item.Id) ? Instant.Max(began, Instant.FromUnixSeconds(about.CreatedSeconds)) : began;
    }

    /// <summary>The day a subscription was anchored on, which in short months is not the day its anchor falls on.</summary>
    private static PeriodAnchor AnchorOf(Subscription subscription)
    {
        var anchor = PeriodAnchor.At(Instant.Of(subscription.BillingCycleAnchor));
        return subscription.BillingCycleAnchorConfig is { DayOfMonth: > 0 } config ? anchor with { Day = (int)config.DayOfMonth } : anchor;
    }

    private async Task ChangeAsync(BilledCustomer customer, PeriodAnchor anchor, Instant from, string changeId, CancellationToken cancellation)
    {
        var (day, minute) = (anchor.Day, anchor.Minute);
        var listed = await anchors.ListAnchorsAsync(
            new ListAnchorsRequest { TenantId = customer.Tenant.Value, CustomerRef = customer.Reference }, cancellationToken: cancellation).ConfigureAwait(false);
        var present = listed.Changes.Count > 0 ? listed.Changes[^1].Anchor : new BillingAnchor { Day = PeriodAnchor.MonthStart.Day };
        if ((present.Day, present.Minute) == (day, minute))
            return;
        var request = new ChangeAnchorRequest
        {
            TenantId = customer.Tenant.Value, CustomerRef = customer.Reference, EffectiveTime = from.ToTimestamp(),
            Anchor = new BillingAnchor { Day = day, Minute = minute }, ChangeId = changeId, Actor = Actor,
        };
        await anchors.ChangeAnchorAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
        LogChanged(logger, PersonalData.Pseudonym(customer.Reference), customer.Tenant.Value, day, minute);
    }

    [LoggerMessage(357, LogLevel.Warning, "The subscription {Subscription} is billed every {Count} {Interval}, not by the month, so its periods are not followed: usage that comes late may fall into one that is billed already")]
    private static partial void LogNotMonthly(ILogger logger, string subscription, long count, string interval);

    [LoggerMessage(358, LogLevel.Information, "The periods of {Customer} of {Tenant} begin on day {Day}, minute {Minute} now")]
    private static partial void LogChanged(ILogger logger, string customer, string tenant, int day, int minute);
}
