using Stripe;

namespace StripeMeter.Pricing.Prices;

/// <summary>Reads prices from Stripe.</summary>
public sealed class StripePrices(StripeAccess access)
{
    private static readonly PriceGetOptions WithTiers = new() { Expand = ["tiers"] };

    /// <returns>The terms; null with a reason when the price cannot be found.</returns>
    /// <exception cref="Grpc.Core.RpcException">Stripe does not answer now.</exception>
    public async Task<FoundPrice> ReadAsync(PriceKey key, CancellationToken cancellation)
    {
        if (access.ClientOf(key.Account) is not { } stripe)
            return new FoundPrice(null, "no Stripe key is configured");
        var (price, refusal) = await StripeReads.AskAsync(
            $"price {key.PriceId}",
            () => stripe.V1.Prices.GetAsync(key.PriceId, WithTiers, access.OptionsOf(key.Account), cancellation), cancellation).ConfigureAwait(false);
        return new FoundPrice(price is null ? null : StripeTerms.Of(price), refusal);
    }
}

/// <summary>The way to Stripe.</summary>
/// <param name="Client">Null when no key is configured.</param>
public sealed record StripeAccess(StripeClient? Client)
{
    /// <summary>Clients of accounts with keys of their own, by account id.</summary>
    public IReadOnlyDictionary<string, StripeClient> Accounts { get; init; } = new Dictionary<string, StripeClient>();

    /// <summary>By whose key an account is asked; null if there is none.</summary>
    public StripeClient? ClientOf(string account) => Accounts.GetValueOrDefault(account) ?? Client;

    /// <summary>Names the account, unless it is that of the key.</summary>
    public RequestOptions OptionsOf(string account) =>
        new() { StripeAccount = account == StripeReads.OwnAccount || Accounts.ContainsKey(account) ? null : account };
}

/// <summary>A price of an account.</summary>
public readonly record struct PriceKey(string Account, string PriceId);

/// <summary>What Stripe says of a price: its terms, or why there are none.</summary>
public sealed record FoundPrice(PriceTerms? Terms, string? Problem);
