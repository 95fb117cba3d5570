using Stripe;
using StripeMeter.Defaults.Errors;

namespace StripeMeter.Pricing.Prices;

/// <summary>Reads prices from Stripe.</summary>
public sealed class StripePrices(StripeClient? stripe)
{
    /// <summary>How mappings write the account of the configured key.</summary>
    public const string OwnAccount = "default";

    private static readonly PriceGetOptions WithTiers = new() { Expand = ["tiers"] };
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    /// <returns>The terms; null with a reason when the price cannot be found.</returns>
    /// <exception cref="Grpc.Core.RpcException">Stripe does not answer now.</exception>
    public async Task<FoundPrice> ReadAsync(PriceKey key, CancellationToken cancellation)
    {
        if (stripe is null)
            return new FoundPrice(null, "no Stripe key is configured");
        var request = new RequestOptions { StripeAccount = key.Account == OwnAccount ? null : key.Account };
        try
        {
            var price = await stripe.V1.Prices.GetAsync(key.PriceId, WithTiers, request, cancellation).ConfigureAwait(false);
            return new FoundPrice(StripeTerms.Of(price), null);
        }
        catch (StripeException problem) when ((int)problem.HttpStatusCode is >= 400 and < 500 and not (408 or 409 or 429))
        {
            return new FoundPrice(null, $"Stripe refuses to show price {key.PriceId}: {problem.StripeError?.Code ?? problem.Message}");
        }
        catch (Exception problem) when (problem is StripeException or HttpRequestException or TimeoutException
            || (problem is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            throw RpcErrors.Unavailable("Stripe does not show prices now.", RetryAfter);
        }
    }
}

/// <summary>A price of an account.</summary>
public readonly record struct PriceKey(string Account, string PriceId);

/// <summary>What Stripe says of a price: its terms, or why there are none.</summary>
public sealed record FoundPrice(PriceTerms? Terms, string? Problem);
