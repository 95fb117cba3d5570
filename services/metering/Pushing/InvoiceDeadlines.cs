using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pushing;

/// <summary>
/// Enters when invoices become final, as Stripe's invoice events say: until then a period can be told of. Without them
/// it is the end of the period and the configured grace. And when lines began, as its subscriptions say.
/// </summary>
public sealed class InvoiceDeadlines(IMeterStore store, PushProtocol protocol, TimeProvider clock)
{
    /// <summary>Documents of one Stripe customer.</summary>
    public const int MaximumDocuments = 1_000;

    /// <summary>
    /// Enters an invoice where one of its lines bills: in the periods of the line's meter that end when the line's period
    /// does. Where nothing was counted yet it is kept for usage that comes late. Durable when it returns; entering the same again,
    /// or an answer that came late, changes nothing.
    /// </summary>
    /// <param name="account">The account of the invoice.</param>
    /// <param name="line">What the line bills.</param>
    /// <param name="invoice">When its invoice becomes final.</param>
    /// <param name="mapped">Tenants whose usage goes to the line's customer and meter by a mapping, whether or not some came yet.</param>
    /// <param name="cancellation">Ends the work.</param>
    /// <returns>Documents that it concerns.</returns>
    /// <exception cref="StoreUnavailableException">Not all may have been entered. Entering it again is harmless.</exception>
    public async Task<int> EnterAsync(
        AccountMode account, BilledLine line, InvoiceEnd invoice, IEnumerable<TenantId> mapped, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(line);
        var places = await PlacesAsync(account, line.StripeCustomer, cancellation).ConfigureAwait(false);
        var concerned = places.Where(place => line.Meter is null || line.Meter == place.Key.MeterId);
        if (line.Meter is { } meter)
            concerned = concerned.Union(mapped.Select(tenant => new DeltaPlace(tenant, new DeltaKey(account.Id, account.Livemode, meter, line.StripeCustomer))));
        var entered = 0;
        foreach (var place in concerned)
        {
            var isConcerned = await store.Of(place.Tenant).Deltas.ChangeAsync(
                place.Key, document => Entered(document, line, invoice), cancellation, Empty(place.Key)).ConfigureAwait(false);
            entered += isConcerned ? 1 : 0;
        }

        return entered;
    }

    /// <summary>
    /// Enters from when Stripe bills a customer for a meter: a line that began within a period does not bill what is stamped
    /// before. Where no usage came yet it is kept for the usage that will. Durable when it returns; entering the same again
    /// changes nothing.
    /// </summary>
    /// <param name="key">The customer on the meter; a legacy item on its price.</param>
    /// <param name="mapped">Tenants whose usage goes there by a mapping, whether or not some came yet.</param>
    /// <param name="from">When the line began.</param>
    /// <param name="cancellation">Ends the work.</param>
    /// <exception cref="StoreUnavailableException">Not all may have been entered. Entering it again is harmless.</exception>
    public async Task EnterStartAsync(DeltaKey key, IEnumerable<TenantId> mapped, Instant from, CancellationToken cancellation)
    {
        var places = await PlacesAsync(new AccountMode(key.Account, key.Livemode), key.StripeCustomer, cancellation).ConfigureAwait(false);
        foreach (var tenant in places.Where(place => place.Key == key).Select(place => place.Tenant).Union(mapped))
        {
            await store.Of(tenant).Deltas.ChangeAsync(
                key, document => protocol.SetBilledFrom(document, from, Now), cancellation, Empty(key)).ConfigureAwait(false);
        }
    }

    private Instant Now => Instant.Of(clock.GetUtcNow());

    private Task<IReadOnlyList<DeltaPlace>> PlacesAsync(AccountMode account, string stripeCustomer, CancellationToken cancellation) =>
        store.Work.PlacesOfCustomerAsync(account.Id, account.Livemode, stripeCustomer, MaximumDocuments, cancellation);

    /// <summary>How the meter wants its events is said by the first usage.</summary>
    private static DeltaDocument Empty(DeltaKey key) => new() { Key = key, Meter = new MeterNames("", "", "") };

    /// <summary>Null if nothing of the document ends when the line does, and nothing can come to.</summary>
    private DeltaDocument? Entered(DeltaDocument document, BilledLine line, InvoiceEnd invoice)
    {
        var awaited = new AwaitedInvoice(line.Period.End, invoice);
        if (document.Periods.FirstOrDefault(delta => awaited.Bills(delta.Period)) is { } billed)
            return protocol.EnterInvoice(document, billed.Period.Start, invoice, Now);
        return line.Meter is null ? null : document.With(awaited);
    }
}
