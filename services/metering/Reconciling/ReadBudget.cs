using System.Collections.Concurrent;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Reconciling;

/// <summary>
/// Keeps reading within what Stripe allows: on average 500 reads a transaction, and 10,000 a month for an account that has
/// few. Each account has a day's reads at first, and as many again every day. See https://docs.stripe.com/rate-limits.
/// </summary>
/// <param name="readsPerDay">Calls a day to one account.</param>
/// <param name="clock">The time.</param>
public sealed class ReadBudget(int readsPerDay, TimeProvider clock)
{
    /// <summary>Accounts remembered; forgetting all of them gives each a day's reads at most.</summary>
    public const int MaximumAccounts = 10_000;

    private readonly ConcurrentDictionary<string, long> _freeFrom = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();

    /// <summary>Takes so many reads; false if there are not as many left.</summary>
    public bool TryTake(string account, int reads)
    {
        var cost = TimeSpan.TicksPerDay / readsPerDay * reads;
        lock (_lock)
        {
            if (_freeFrom.Count >= MaximumAccounts)
                _freeFrom.Clear();
            var now = clock.GetUtcNow().UtcTicks;
            var next = Math.Max(_freeFrom.GetValueOrDefault(account), now - TimeSpan.TicksPerDay) + cost;
            if (next > now)
                return false;
            _freeFrom[account] = next;
            return true;
        }
    }
}

/// <summary>Summaries read only as far as the budget goes. Beyond it they cannot be read now.</summary>
public sealed class BudgetedSummaries(IMeterSummaries summaries, ReadBudget budget) : IMeterSummaries
{
    /// <summary>Summaries that one call answers.</summary>
    private const int PageSummaries = 100;

    public async Task<Quantity?> TotalAsync(DeltaKey key, Instant start, Instant end, CancellationToken cancellation) =>
        budget.TryTake(key.Account, 1) ? await summaries.TotalAsync(key, start, end, cancellation).ConfigureAwait(false) : null;

    public async Task<IReadOnlyList<HourTotal>?> HoursAsync(DeltaKey key, Instant start, Instant end, CancellationToken cancellation)
    {
        var pages = (int)(((end - start).Ticks / TimeSpan.TicksPerHour / PageSummaries) + 1);
        return budget.TryTake(key.Account, pages) ? await summaries.HoursAsync(key, start, end, cancellation).ConfigureAwait(false) : null;
    }
}
