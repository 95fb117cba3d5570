using Stripe;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Time;
using StripeMeter.Pusher.Driving;
using StripeMeter.Pusher.StripeApi;

namespace StripeMeter.Pusher.Webhooks;

/// <summary>
/// When invoices become final: until then their periods can be told of. Asked of the invoice as it is now.
/// See https://docs.stripe.com/billing/subscriptions/usage-based/configure-grace-period.
/// </summary>
internal sealed class InvoiceHandler(InvoiceDeadlines deadlines, DrivingService driving, PusherOptions options) : IStripeEventHandler
{
    private const int PageLines = 100;
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(1);

    public bool Handles(string type) => type is "invoice.created" or "invoice.updated" or "invoice.finalized";

    public async Task HandleAsync(StripeEvent about, AccountMode account, StripeCalls calls, CancellationToken cancellation)
    {
        var request = calls.RequestFor(account.Id);
        var invoice = await calls.Client.V1.Invoices.GetAsync(about.ObjectId, null, request, cancellation).ConfigureAwait(false);
        if (FinalOf(invoice) is not { } final || invoice.CustomerId is not { Length: > 0 } customer)
            return;
        var lines = calls.Client.V1.Invoices.LineItems.ListAutoPagingAsync(
            invoice.Id, new InvoiceLineItemListOptions { Limit = PageLines }, request, cancellation);
        var seen = new HashSet<BillingPeriod>();
        var read = 0;
        await foreach (var line in lines.ConfigureAwait(false))
        {
            // Usage is billed when its period is over; a line that reaches further is paid in advance.
            if (line.Period is { } period && period.End <= invoice.Created + Tolerance)
                seen.Add(new BillingPeriod(Instant.Of(period.Start), Instant.Of(period.End)));
            if (++read == options.StripeEventParts)
                break;
        }

        foreach (var period in seen)
            await deadlines.EnterAsync(account.Id, account.Livemode, customer, period, final, cancellation).ConfigureAwait(false);
        driving.Wake();
    }

    /// <summary>When it becomes, or became, final; null while nobody knows.</summary>
    private static Instant? FinalOf(Invoice invoice) => invoice.Status == "draft"
        ? invoice.AutomaticallyFinalizesAt is { } planned ? Instant.Of(planned) : null
        : Instant.Of(invoice.StatusTransitions?.FinalizedAt ?? invoice.Created);
}
