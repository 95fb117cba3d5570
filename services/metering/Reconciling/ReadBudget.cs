using System.Globalization;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Reconciling;

/// <summary>
/// Keeps reading within what Stripe allows: on average 500 reads a transaction, and 10,000 a month for an account that has
/// few. Each account has a day's reads at first, and as many again every day, whoever reads and however often they start. See
/// https://docs.stripe.com/rate-limits.
/// </summary>
/// <param name="directory">Keeps what was taken.</param>
/// <param name="readsPerDay">Calls a day to one account.</param>
/// <param name="clock">The time.</param>
public sealed class ReadBudget(IDocuments directory, int readsPerDay, TimeProvider clock)
{
    private const int MaximumTries = 20;

    /// <summary>Takes so many reads; false if there are not as many left, or too many are taking theirs at this moment.</summary>
    public async Task<bool> TryTakeAsync(string account, int reads, CancellationToken cancellation)
    {
        var cost = TimeSpan.TicksPerDay / readsPerDay * reads;
        for (var attempt = 0; attempt < MaximumTries; attempt++)
        {
            var stored = await directory.GetAsync(DocumentKind.ReadBudget, account, cancellation).ConfigureAwait(false) ?? new StoredDocument(account, "0", 0);
            var now = clock.GetUtcNow().UtcTicks;
            var next = Math.Max(long.Parse(stored.Body, CultureInfo.InvariantCulture), now - TimeSpan.TicksPerDay) + cost;
            if (next > now)
                return false;
            var taken = stored with { Body = next.ToString(CultureInfo.InvariantCulture) };
            if ((await directory.WriteAsync(DocumentKind.ReadBudget, [taken], cancellation).ConfigureAwait(false))[0])
                return true;
        }

        return false;
    }
}

/// <summary>Summaries read only as far as the budget goes. Beyond it they cannot be read now.</summary>
public sealed class BudgetedSummaries(IMeterSummaries summaries, ReadBudget budget) : IMeterSummaries
{
    /// <summary>Summaries that one call answers.</summary>
    private const int PageSummaries = 100;

    public async Task<Quantity?> TotalAsync(DeltaKey key, Instant start, Instant end, CancellationToken cancellation) =>
        await budget.TryTakeAsync(key.Account, 1, cancellation).ConfigureAwait(false)
            ? await summaries.TotalAsync(key, start, end, cancellation).ConfigureAwait(false)
            : null;

    public async Task<IReadOnlyList<HourTotal>?> HoursAsync(DeltaKey key, Instant start, Instant end, CancellationToken cancellation)
    {
        var pages = (int)(((end - start).Ticks / TimeSpan.TicksPerHour / PageSummaries) + 1);
        return await budget.TryTakeAsync(key.Account, pages, cancellation).ConfigureAwait(false)
            ? await summaries.HoursAsync(key, start, end, cancellation).ConfigureAwait(false)
            : null;
    }
}
