using Stripe;
using StripeMeter.Defaults.Telemetry;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Time;
using StripeMeter.V1;
using PeriodAnchor = StripeMeter.Metering.Periods.PeriodAnchor;

namespace StripeMeter.Pusher.Subscriptions;

/// <summary>
/// Has the billing periods of customers begin where their subscriptions' do, and keeps since when their lines bill. A change
/// becomes a record in the ledger. Monthly subscriptions only, one anchor per customer.
/// </summary>
internal sealed partial class SubscriptionFollower(
    InvoiceDeadlines deadlines, AnchorService.AnchorServiceClient anchors, ILogger<SubscriptionFollower> logger)
{
    private const string Actor = "stripe";

    /// <summary>Since when the lines bill: nothing is stamped before. It never becomes earlier, so an old state does no harm.</summary>
    /// <param name="subscription">The subscription.</param>
    /// <param name="customers">Whose usage goes to its account.</param>
    /// <param name="beginningOf">Since when an item bills; null if that need not be kept.</param>
    /// <param name="cancellation">Ends the work.</param>
    public async Task EnterBeginningsAsync(
        FollowedSubscription subscription, BilledCustomers customers, Func<SubscriptionItem, Instant?> beginningOf, CancellationToken cancellation)
    {
        foreach (var (key, item) in subscription.Lines)
        {
            if (beginningOf(item) is { } began)
                await deadlines.EnterStartAsync(key, customers.TenantsOf(key), began, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Whether the periods of a customer begin where the subscription's do.</summary>
    public async Task<bool> IsThereAsync(FollowedSubscription subscription, BilledCustomer customer, CancellationToken cancellation)
    {
        var listed = await anchors.ListAnchorsAsync(
            new ListAnchorsRequest { TenantId = customer.Tenant.Value, CustomerRef = customer.Reference }, cancellationToken: cancellation).ConfigureAwait(false);
        var present = listed.Changes.Count > 0 ? listed.Changes[^1].Anchor : new BillingAnchor { Day = PeriodAnchor.MonthStart.Day };
        return (present.Day, present.Minute) == (subscription.Anchor.Day, subscription.Anchor.Minute);
    }

    /// <summary>Has the periods of a customer begin where the subscription's do, if they do not yet.</summary>
    /// <param name="subscription">The subscription as it is now.</param>
    /// <param name="customer">The customer.</param>
    /// <param name="changeId">Names the change.</param>
    /// <param name="cancellation">Ends the work.</param>
    public async Task MoveAsync(
        FollowedSubscription subscription, BilledCustomer customer, string changeId, CancellationToken cancellation)
    {
        if (await IsThereAsync(subscription, customer, cancellation).ConfigureAwait(false))
            return;
        var (day, minute) = (subscription.Anchor.Day, subscription.Anchor.Minute);
        var request = new ChangeAnchorRequest
        {
            TenantId = customer.Tenant.Value, CustomerRef = customer.Reference, EffectiveTime = subscription.PeriodStart.ToTimestamp(),
            Anchor = new BillingAnchor { Day = day, Minute = minute }, ChangeId = changeId, Actor = Actor,
        };
        await anchors.ChangeAnchorAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
        LogChanged(logger, PersonalData.Pseudonym(customer.Reference), customer.Tenant.Value, day, minute);
    }

    [LoggerMessage(358, LogLevel.Information, "The periods of {Customer} of {Tenant} begin on day {Day}, minute {Minute} now")]
    private static partial void LogChanged(ILogger logger, string customer, string tenant, int day, int minute);
}
