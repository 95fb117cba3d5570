using Stripe;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;
using StripeMeter.Pusher.StripeApi;
using StripeMeter.Pusher.Subscriptions;
using StripeMeter.Pusher.Telemetry;

namespace StripeMeter.Pusher.Webhooks;

/// <summary>Follows a subscription of which Stripe says that it changed, as it is by then.</summary>
internal sealed partial class SubscriptionHandler(
    IMeterStore store, StripeAccounts accounts, PusherOptions options, SubscriptionFollower follower, PusherInstruments instruments,
    ILogger<SubscriptionHandler> logger) : IStripeEventHandler
{
    public bool Handles(string type) => type is "customer.subscription.created" or "customer.subscription.updated" or "customer.subscription.resumed";

    public async Task HandleAsync(StripeEvent about, AccountMode account, StripeCalls calls, CancellationToken cancellation)
    {
        var read = await calls.Client.V1.Subscriptions.GetAsync(
            about.ObjectId, null, calls.RequestFor(account.Id), cancellation).ConfigureAwait(false);
        if (FollowedSubscription.Of(read, account) is not { } subscription)
            return;
        var customers = await BilledCustomers.LoadAsync(store, accounts, options, account, cancellation).ConfigureAwait(false);
        await follower.EnterBeginningsAsync(subscription, customers, item => BeganOf(item, about), cancellation).ConfigureAwait(false);
        if (subscription.OtherInterval is { } other)
        {
            instruments.NotFollowed(other.Interval);
            LogNotMonthly(logger, subscription.Id, other.IntervalCount, other.Interval);
            return;
        }

        foreach (var customer in customers.Of(subscription))
            await follower.MoveAsync(subscription, customer, $"{subscription.Id}/{about.Id}", cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// From when an item bills with the price it has: since it is there, the price is there, and it has that price. Of
    /// the last only the event that changed it tells.
    /// </summary>
    private static Instant BeganOf(SubscriptionItem item, StripeEvent about)
    {
        var began = FollowedSubscription.BeganOf(item);
        return about.RepricedItems.Contains(item.Id) ? Instant.Max(began, Instant.FromUnixSeconds(about.CreatedSeconds)) : began;
    }

    [LoggerMessage(357, LogLevel.Warning, "The subscription {Subscription} is billed every {Count} {Interval}, not by the month, so its periods are not followed: usage that comes late may fall into one that is billed already")]
    private static partial void LogNotMonthly(ILogger logger, string subscription, long count, string interval);
}
