using Stripe;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Time;

namespace StripeMeter.Pusher.Subscriptions;

/// <summary>What is metered by a subscription that runs.</summary>
/// <param name="Id"><c>sub_…</c></param>
/// <param name="Lines">Its metered items, and what the delta ledger calls each: a customer on a meter, or a legacy item on its price.</param>
/// <param name="Anchor">Where its periods begin.</param>
/// <param name="PeriodStart">When the present one began.</param>
internal sealed record FollowedSubscription(
    string Id, IReadOnlyList<(DeltaKey Key, SubscriptionItem Item)> Lines, PeriodAnchor Anchor, Instant PeriodStart)
{
    /// <summary>The interval of an item that is not billed by the month; null if all are.</summary>
    public PriceRecurring? OtherInterval =>
        Lines.Select(line => line.Item.Price.Recurring).FirstOrDefault(recurring => recurring is not { Interval: "month", IntervalCount: 1 });

    /// <summary>Null if nothing of it is metered, or it does not run.</summary>
    public static FollowedSubscription? Of(Subscription subscription, AccountMode account)
    {
        var lines = LinesOf(subscription, account);
        return lines.Count == 0 || subscription.Status is "canceled" or "incomplete" or "incomplete_expired"
            ? null
            : new FollowedSubscription(subscription.Id, lines, AnchorOf(subscription), Instant.Of(lines.Max(line => line.Item.CurrentPeriodStart)));
    }

    /// <summary>From when an item bills, as far as it tells itself: since it is there, and its price is there.</summary>
    public static Instant BeganOf(SubscriptionItem item) => Instant.Max(Instant.Of(item.Created), Instant.Of(item.Price.Created));

    private static List<(DeltaKey Key, SubscriptionItem Item)> LinesOf(Subscription subscription, AccountMode account) =>
    [
        .. from item in subscription.Items?.Data ?? []
           where item.Price?.Recurring is { UsageType: "metered" }
           select item.Price.Recurring.Meter is { Length: > 0 } meter
               ? (new DeltaKey(account.Id, account.Livemode, meter, subscription.CustomerId), item)
               : (new DeltaKey(account.Id, account.Livemode, item.Price.Id, item.Id), item),
    ];

    /// <summary>The day a subscription was anchored on, which in short months is not the day its anchor falls on.</summary>
    private static PeriodAnchor AnchorOf(Subscription subscription)
    {
        var anchor = PeriodAnchor.At(Instant.Of(subscription.BillingCycleAnchor));
        return subscription.BillingCycleAnchorConfig is { DayOfMonth: > 0 } config ? anchor with { Day = (int)config.DayOfMonth } : anchor;
    }
}
