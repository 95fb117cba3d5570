using Stripe;
using Stripe.Billing;
using StripeMeter.Metering.Pricing;
using StripeMeter.Metering.Pricing.Invoicing;
using StripeMeter.Metering.Time;
using StripeMeter.Pricing.Prices;

namespace StripeMeter.Pricing.Credits;

/// <summary>
/// What is left of the credits that Stripe holds for a customer: the balance of each grant
/// (https://docs.stripe.com/billing/subscriptions/usage-based/billing-credits). Held for a short while.
/// </summary>
public sealed class CustomerCredits(StripeAccess access, PricingOptions options, TimeProvider clock)
{
    /// <summary>Stripe allows 100 unused grants of a customer.</summary>
    private const int MaximumGrants = 100;

    private const string Metered = "metered";

    private readonly AgedCache<CreditKey, FoundCredits> _held = new(
        TimeSpan.FromSeconds(options.CreditCacheSeconds), options.CacheEntries, _ => true, clock);

    /// <param name="key">Whose credits.</param>
    /// <param name="currency">Only grants in it: Stripe applies no others.</param>
    /// <param name="prices">The prices that are billed.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="Grpc.Core.RpcException">Stripe does not answer now.</exception>
    public async Task<ApplicableCredits> ReadAsync(
        CreditKey key, Currency currency, IReadOnlyCollection<string> prices, CancellationToken cancellation)
    {
        if (access.ClientOf(key.Account) is not { } stripe)
            return new ApplicableCredits([], "");
        var found = await _held.ReadAsync(key, () => ReadAsync(stripe, key, cancellation)).ConfigureAwait(false);
        var inCurrency = found.Grants.Where(grant => grant.Currency == currency.Code).ToArray();
        var applicable = inCurrency.Where(grant => grant.AppliesTo(prices)).ToArray();
        var others = inCurrency.Except(applicable).Select(grant => grant.Credit.Name).ToArray();
        var note = others.Length > 0 ? $"Credits that apply to some of the prices only are not counted: {string.Join(", ", others)}." : found.Note;
        return new ApplicableCredits([.. applicable.Select(grant => grant.Credit)], note);
    }

    private async Task<FoundCredits> ReadAsync(StripeClient stripe, CreditKey key, CancellationToken cancellation)
    {
        var listing = new CreditGrantListOptions { Customer = key.Customer, Limit = MaximumGrants };
        var (grants, refusal) = await StripeReads.AskAsync(
            $"credits of customer {key.Customer}",
            () => stripe.V1.Billing.CreditGrants.ListAsync(listing, access.OptionsOf(key.Account), cancellation), cancellation).ConfigureAwait(false);
        if (grants is null)
            return new FoundCredits([], refusal + ".");
        var held = new List<HeldGrant>();
        foreach (var some in grants.Where(grant => grant is { VoidedAt: null, Amount.Monetary: not null }).Chunk(options.ConcurrentReads))
            held.AddRange(await Task.WhenAll(some.Select(grant => BalanceAsync(stripe, key, grant, cancellation))).ConfigureAwait(false));
        return new FoundCredits(held, grants.HasMore ? $"Only the newest {MaximumGrants} credits are counted." : "");
    }

    private async Task<HeldGrant> BalanceAsync(StripeClient stripe, CreditKey key, CreditGrant grant, CancellationToken cancellation)
    {
        var options = new CreditBalanceSummaryGetOptions
        {
            Customer = key.Customer,
            Filter = new CreditBalanceSummaryFilterOptions { Type = "credit_grant", CreditGrant = grant.Id },
        };
        var (summary, _) = await StripeReads.AskAsync(
            $"the balance of credit {grant.Id}",
            () => stripe.V1.Billing.CreditBalanceSummary.GetAsync(options, access.OptionsOf(key.Account), cancellation), cancellation).ConfigureAwait(false);
        var left = summary?.Balances?.FirstOrDefault()?.AvailableBalance?.Monetary?.Value ?? 0;
        var credit = new Credit(string.IsNullOrEmpty(grant.Name) ? grant.Id : grant.Name, Math.Max(0, left))
        {
            Priority = (int)Math.Clamp(grant.Priority ?? 50, 0, 100),
            EffectiveAt = InstantOf(grant.EffectiveAt),
            ExpiresAt = InstantOf(grant.ExpiresAt),
        };
        var scope = grant.ApplicabilityConfig?.Scope;
        return new HeldGrant(
            credit, grant.Amount.Monetary.Currency, scope?.PriceType == Metered,
            (scope?.Prices?.Select(price => price.Id) ?? []).ToHashSet());
    }

    private static Instant? InstantOf(DateTime? moment) =>
        moment is { } known ? Instant.Of(new DateTimeOffset(DateTime.SpecifyKind(known, DateTimeKind.Utc))) : null;

    private sealed record FoundCredits(IReadOnlyList<HeldGrant> Grants, string Note);

    private sealed record HeldGrant(Credit Credit, string Currency, bool AllMetered, IReadOnlySet<string> Prices)
    {
        public bool AppliesTo(IReadOnlyCollection<string> prices) => AllMetered || (prices.Count > 0 && prices.All(Prices.Contains));
    }
}

/// <summary>A Stripe customer of an account.</summary>
public readonly record struct CreditKey(string Account, string Customer);

/// <summary>Credits that can be taken off.</summary>
/// <param name="Credits">In no order.</param>
/// <param name="Note">Why there may be others. Empty when there are not.</param>
public sealed record ApplicableCredits(IReadOnlyList<Credit> Credits, string Note);
