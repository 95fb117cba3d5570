using Stripe;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;
using StripeMeter.Pusher.Driving;
using StripeMeter.Pusher.StripeApi;
using StripeMeter.Pusher.Subscriptions;

namespace StripeMeter.Pusher.Webhooks;

/// <summary>
/// When invoices become final: until then their periods can be told of. Asked of the invoice as it is now.
/// See https://docs.stripe.com/billing/subscriptions/usage-based/configure-grace-period.
/// </summary>
internal sealed class InvoiceHandler(
    InvoiceDeadlines deadlines, IMeterStore store, StripeAccounts accounts, PriceMeters prices, DrivingService driving, PusherOptions options,
    TimeProvider clock) : IStripeEventHandler
{
    private const int PageLines = 100;
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(1);

    public bool Handles(string type) => type is "invoice.created" or "invoice.updated" or "invoice.finalized";

    public async Task HandleAsync(StripeEvent about, AccountMode account, StripeCalls calls, CancellationToken cancellation)
    {
        var request = calls.RequestFor(account.Id);
        var asked = Instant.Of(clock.GetUtcNow());
        var invoice = await calls.Client.V1.Invoices.GetAsync(about.ObjectId, null, request, cancellation).ConfigureAwait(false);
        if (FinalOf(invoice) is not { } final || invoice.CustomerId is not { Length: > 0 })
            return;
        var lines = calls.Client.V1.Invoices.LineItems.ListAutoPagingAsync(
            invoice.Id, new InvoiceLineItemListOptions { Limit = PageLines }, request, cancellation);
        var billed = new HashSet<BilledLine>();
        var read = 0;
        await foreach (var line in lines.ConfigureAwait(false))
        {
            // Usage is billed when its period is over; a line that reaches further is paid in advance.
            if (line.Period is { } period && period.End <= invoice.Created + Tolerance)
                billed.Add(await BilledAsync(invoice, line, account, calls, cancellation).ConfigureAwait(false));
            if (++read == options.StripeEventParts)
                break;
        }

        if (billed.Count == 0)
            return;
        var customers = await BilledCustomers.LoadAsync(store, accounts, options, account, cancellation).ConfigureAwait(false);
        foreach (var line in billed)
        {
            var mapped = line.Meter is { } meter
                ? customers.TenantsOf(new DeltaKey(account.Id, account.Livemode, meter, line.StripeCustomer)) : [];
            await deadlines.EnterAsync(account, line, new InvoiceEnd(invoice.Id, final, asked), mapped, cancellation).ConfigureAwait(false);
        }

        driving.Wake();
    }

    /// <summary>A price without a meter is a fee, which concerns no document, or a legacy one, which its items are told of.</summary>
    private async Task<BilledLine> BilledAsync(
        Invoice invoice, InvoiceLineItem line, AccountMode account, StripeCalls calls, CancellationToken cancellation)
    {
        var period = new BillingPeriod(Instant.Of(line.Period.Start), Instant.Of(line.Period.End));
        if (line.Pricing?.PriceDetails?.PriceId is not { Length: > 0 } price)
            return new BilledLine(invoice.CustomerId, null, period);
        return await prices.FindAsync(account, calls, price, cancellation).ConfigureAwait(false) switch
        {
            null => new BilledLine(invoice.CustomerId, null, period),
            "" => new BilledLine(line.Parent?.SubscriptionItemDetails?.SubscriptionItem ?? invoice.CustomerId, price, period),
            var meter => new BilledLine(invoice.CustomerId, meter, period),
        };
    }

    /// <summary>When it becomes, or became, final; null while nobody knows.</summary>
    private static Instant? FinalOf(Invoice invoice) => invoice.Status == "draft"
        ? invoice.AutomaticallyFinalizesAt is { } planned ? Instant.Of(planned) : null
        : Instant.Of(invoice.StatusTransitions?.FinalizedAt ?? invoice.Created);
}
