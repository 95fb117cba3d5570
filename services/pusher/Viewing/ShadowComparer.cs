using StripeMeter.Metering.Mappings;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Stores;
using StripeMeter.Pusher.Raising;
using StripeMeter.Pusher.StripeApi;

namespace StripeMeter.Pusher.Viewing;

/// <summary>A Stripe customer's period, billed and in the shadow.</summary>
/// <param name="Metric">The metric.</param>
/// <param name="StripeCustomer">Of the billed account.</param>
/// <param name="ShadowStripeCustomer">Of the test account.</param>
/// <param name="Billed">What is billed.</param>
/// <param name="Shadow">The same in the test account; null if it was told nothing of the period.</param>
internal sealed record ComparedUsage(string Metric, string StripeCustomer, string ShadowStripeCustomer, PeriodDelta Billed, PeriodDelta? Shadow);

/// <summary>A part of a comparison.</summary>
/// <param name="Lines">In the order of the delta ledger.</param>
/// <param name="Next">The document the next part begins with; null if there is none.</param>
internal sealed record ComparedPage(IReadOnlyList<ComparedUsage> Lines, DeltaKey? Next);

/// <summary>Lays what shadow mappings told beside what was billed for the same customers. Each document is told whole.</summary>
internal sealed class ShadowComparer(StripeAccounts accounts, PusherOptions options)
{
    /// <summary>Documents read for one page. A page ends when they are read, full or not.</summary>
    private const int PageDocuments = 1_000;

    public async Task<ComparedPage> CompareAsync(ITenantStore tenant, string metric, DeltaKey? from, int size, CancellationToken cancellation)
    {
        var shadowed = await ShadowedAsync(tenant, metric, cancellation).ConfigureAwait(false);
        var lines = new List<ComparedUsage>();
        if (shadowed.Count == 0)
            return new ComparedPage(lines, null);
        var query = new DeltaQuery { Metric = metric.Length > 0 ? metric : null, From = from, Limit = PageDocuments + 1 };
        var documents = await tenant.Deltas.ListAsync(query, cancellation).ConfigureAwait(false);
        foreach (var document in documents.Take(PageDocuments))
        {
            if (lines.Count >= size)
                return new ComparedPage(lines, document.Key);
            if (shadowed.TryGetValue((document.Key.Account, document.Key.Livemode, document.Key.MeterId), out var pair))
                lines.AddRange(await CompareAsync(tenant, document, pair, cancellation).ConfigureAwait(false));
        }

        return new ComparedPage(lines, documents.Count > PageDocuments ? documents[PageDocuments].Key : null);
    }

    /// <summary>The shadows of a tenant, by the meter that is billed.</summary>
    private async Task<Dictionary<(string Account, bool Livemode, string MeterId), Pair>> ShadowedAsync(
        ITenantStore tenant, string metric, CancellationToken cancellation)
    {
        var mappings = await TenantMappings.LoadAsync(tenant, options.MappingsOfTenant, cancellation).ConfigureAwait(false);
        var pairs = new Dictionary<(string, bool, string), Pair>();
        foreach (var mapping in mappings.All.Where(mapping => mapping.Shadow && (metric.Length == 0 || mapping.Metric == metric)))
        {
            var billed = await StripeAccounts.ResolveAsync(accounts.BilledOf(mapping.StripeAccount), mapping.StripeAccount, cancellation).ConfigureAwait(false);
            var shadow = await StripeAccounts.ResolveAsync(
                accounts.ShadowOf(mapping.ShadowStripeAccount), mapping.ShadowStripeAccount, cancellation).ConfigureAwait(false);
            if (billed is { } from && shadow is { } to)
                pairs[(from.Id, from.Livemode, mapping.MeterId)] = new Pair(mapping, to);
        }

        return pairs;
    }

    private static async Task<IEnumerable<ComparedUsage>> CompareAsync(
        ITenantStore tenant, DeltaDocument billed, Pair pair, CancellationToken cancellation)
    {
        var (mapping, account) = pair;
        var rule = mapping.ShadowCustomers ?? mapping.Customers;
        var customers = billed.Periods.SelectMany(delta => delta.Contributions).Where(counter => counter.Metric == mapping.Metric)
            .Select(counter => rule.StripeCustomerOf(counter.Customer)).OfType<string>().Distinct(StringComparer.Ordinal);
        var lines = new List<ComparedUsage>();
        foreach (var customer in customers)
        {
            var key = new DeltaKey(account.Id, account.Livemode, mapping.ShadowMeterId, customer);
            var shadow = await tenant.Deltas.LoadAsync(key, cancellation).ConfigureAwait(false);
            lines.AddRange(billed.Periods.Select(delta =>
                new ComparedUsage(mapping.Metric, billed.Key.StripeCustomer, customer, delta, shadow?.Find(delta.Period.Start))));
        }

        return lines;
    }

    private sealed record Pair(Mapping Mapping, AccountMode Account);
}
