using System.Collections.Concurrent;
using System.Net;
using StripeMeter.Metering.Pushing;

namespace StripeMeter.Pusher.StripeApi;

/// <summary>Which meter a price bills by. A price keeps its meter for ever, so what was read once is remembered.</summary>
internal sealed class PriceMeters(PusherOptions options)
{
    private readonly ConcurrentDictionary<(AccountMode Account, string PriceId), string> _meters = [];

    /// <summary>Id of the price's meter, empty if it has none; null if the key may not read the price.</summary>
    /// <exception cref="Stripe.StripeException">Stripe did not say; it may later.</exception>
    public async Task<string?> FindAsync(AccountMode account, StripeCalls calls, string priceId, CancellationToken cancellation)
    {
        if (_meters.TryGetValue((account, priceId), out var known))
            return known;
        try
        {
            var price = await calls.Client.V1.Prices.GetAsync(priceId, null, calls.RequestFor(account.Id), cancellation).ConfigureAwait(false);
            if (_meters.Count >= options.RememberedObjects)
                _meters.Clear();
            return _meters[(account, priceId)] = price.Recurring?.Meter ?? "";
        }
        catch (Exception refused) when (StripeCalls.Is(refused, HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden, HttpStatusCode.NotFound))
        {
            return null;
        }
    }
}
