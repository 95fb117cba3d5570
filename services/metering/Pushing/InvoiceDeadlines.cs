using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pushing;

/// <summary>
/// Enters when invoices become final, as Stripe's invoice events say: until then a period can be told of. Without them
/// it is the end of the period and the configured grace.
/// </summary>
public sealed class InvoiceDeadlines(IMeterStore store, PushProtocol protocol, TimeProvider clock)
{
    /// <summary>Tries against other writers of a document.</summary>
    public const int MaximumSaves = 20;

    /// <summary>Documents of one Stripe customer.</summary>
    public const int MaximumDocuments = 1_000;

    // Stripe's periods have seconds, ours may be cut at the minute.
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Enters the deadline of the periods that an invoice line bills: those that end when the line's period does.
    /// Durable when it returns; entering the same again changes nothing.
    /// </summary>
    /// <param name="account">Id of the Stripe account, <c>acct_…</c>.</param>
    /// <param name="livemode">False for Stripe's test mode.</param>
    /// <param name="stripeCustomer">Customer of the invoice.</param>
    /// <param name="line">Service period of the line.</param>
    /// <param name="final">When the invoice becomes, or became, final.</param>
    /// <param name="cancellation">Ends the work.</param>
    /// <returns>Documents that it concerns.</returns>
    /// <exception cref="StoreUnavailableException">Not all may have been entered. Entering it again is harmless.</exception>
    public async Task<int> EnterAsync(
        string account, bool livemode, string stripeCustomer, BillingPeriod line, Instant final, CancellationToken cancellation)
    {
        var places = await store.Work.PlacesOfCustomerAsync(account, livemode, stripeCustomer, MaximumDocuments, cancellation)
            .ConfigureAwait(false);
        var concerned = 0;
        foreach (var place in places)
            concerned += await EnterAsync(store.Of(place.Tenant).Deltas, place.Key, line, final, cancellation).ConfigureAwait(false) ? 1 : 0;
        return concerned;
    }

    private async Task<bool> EnterAsync(
        IDeltaLedger deltas, DeltaKey key, BillingPeriod line, Instant final, CancellationToken cancellation)
    {
        for (var save = 0; save < MaximumSaves; save++)
        {
            var document = await deltas.LoadAsync(key, cancellation).ConfigureAwait(false);
            if (document?.Periods.FirstOrDefault(delta => (delta.Period.End - line.End).Duration() < Tolerance) is not { } billed)
                return false;
            var entered = protocol.SetDeadline(document, billed.Period.Start, final, Instant.Of(clock.GetUtcNow()));
            if (ReferenceEquals(entered, document) || await deltas.SaveAsync(entered, cancellation).ConfigureAwait(false))
                return true;
        }

        throw new StoreUnavailableException("Other writers were faster each time.");
    }
}
