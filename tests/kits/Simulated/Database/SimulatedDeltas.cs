using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Text;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Kits.Simulated.Database;

/// <summary>The delta ledger of one tenant, as one process reads and writes it.</summary>
internal sealed class SimulatedDeltas(SimulatedDatabase database, TenantId tenant, SimulatedProcess process) : IDeltaLedger
{
    public Task<DeltaDocument?> LoadAsync(DeltaKey key, CancellationToken cancellation) =>
        database.ReadAsync(process, tenant, state => state.Deltas.GetValueOrDefault(key));

    public Task<bool> SaveAsync(DeltaDocument document, CancellationToken cancellation) => database.WriteAsync(process, () =>
    {
        var stored = database.PrimaryOf(tenant).Deltas.GetValueOrDefault(document.Key)?.Revision ?? 0;
        if (stored != document.Revision)
        {
            database.Tally.Note(Situation.RevisionOutdated);
            return false;
        }

        database.Apply(tenant, state => state.Deltas[document.Key] = document.Saved());
        return true;
    });

    public Task AppendHistoryAsync(DeltaKey key, PushIntent intent, CancellationToken cancellation) => database.WriteAsync(process, () =>
    {
        database.Apply(tenant, state => state.ClosedIntents.TryAdd((intent.Identifier, intent.Closing), new ClosedIntent(key, intent)));
        return true;
    });

    public Task<IReadOnlyList<PushIntent>> HistoryAsync(DeltaKey key, long afterClosing, int limit, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyList<PushIntent>>(process, tenant, state =>
        [
            .. state.ClosedIntents.Values.Where(closed => closed.Key == key && closed.Intent.Closing > afterClosing)
                .Select(closed => closed.Intent).OrderBy(intent => intent.Closing).Take(limit),
        ]);

    public Task<PushIntent?> FindClosedAsync(string identifier, CancellationToken cancellation) =>
        database.ReadAsync(process, tenant, state => state.ClosedIntents.Values
            .Where(closed => closed.Intent.Identifier == identifier).Select(closed => closed.Intent).MaxBy(intent => intent.Closing));

    public Task<IReadOnlyList<AccountMode>> DueAccountsAsync(Instant now, int limit, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyList<AccountMode>>(process, tenant, state =>
        [
            .. state.Deltas.Values.Where(document => document.Due <= now)
                .Select(document => new AccountMode(document.Key.Account, document.Key.Livemode)).Distinct().Take(limit),
        ]);

    public Task<IReadOnlyList<DeltaKey>> DueAsync(
        string account, bool livemode, Instant now, int limit, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyList<DeltaKey>>(process, tenant, state =>
        [
            .. state.Deltas.Values.Where(document => document.Key.Account == account && document.Key.Livemode == livemode && document.Due <= now)
                .OrderBy(document => document.Due).Take(limit).Select(document => document.Key),
        ]);

    public Task<IReadOnlyList<DeltaDocument>> ListAsync(DeltaQuery query, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyList<DeltaDocument>>(process, tenant, state =>
        [
            .. state.Deltas.Values.Where(document => IsFed(document, query) && (query.From is not { } from || Compare(document.Key, from) >= 0))
                .Order(Comparer<DeltaDocument>.Create((left, right) => Compare(left.Key, right.Key))).Take(query.Limit),
        ]);

    private static bool IsFed(DeltaDocument document, DeltaQuery query) =>
        (query.Metric is null && query.Customer is null)
        || document.Periods.SelectMany(period => period.Contributions).Any(counter =>
            (query.Metric is null || counter.Metric == query.Metric) && (query.Customer is null || counter.Customer == query.Customer));

    private static int Compare(DeltaKey left, DeltaKey right)
    {
        foreach (var (one, other) in (ReadOnlySpan<(string, string)>)
            [(left.MeterId, right.MeterId), (left.StripeCustomer, right.StripeCustomer), (left.Account, right.Account)])
        {
            if (CodePointOrder.Instance.Compare(one, other) is not 0 and var difference)
                return difference;
        }

        return left.Livemode.CompareTo(right.Livemode);
    }
}
