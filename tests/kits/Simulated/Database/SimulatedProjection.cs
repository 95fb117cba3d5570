using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Kits.Text;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Kits.Simulated.Database;

/// <summary>The projected counters of one tenant, as one process reads and writes them.</summary>
internal sealed class SimulatedProjection(SimulatedDatabase database, TenantId tenant, SimulatedProcess process) : IProjection
{
    public Task<ShardProgress> ProgressAsync(int shard, CancellationToken cancellation) =>
        database.ReadAsync(process, tenant, state => state.Progress.GetValueOrDefault(shard, ShardProgress.None));

    public Task<IReadOnlyDictionary<CounterKey, CounterRow>> LoadAsync(
        IReadOnlyCollection<CounterKey> keys, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyDictionary<CounterKey, CounterRow>>(
            process, tenant, state => keys.Where(state.Rows.ContainsKey).ToDictionary(key => key, key => state.Rows[key].Row));

    public Task WriteAsync(IReadOnlyCollection<CounterRow> rows, CancellationToken cancellation)
    {
        var torn = rows.Count > 1 && database.Network.Dice.Strikes(Fault.WriteTorn);
        return torn ? WriteTornAsync(rows) : WriteRowsAsync(rows);
    }

    public Task RaiseAsync(int shard, ShardProgress progress, CancellationToken cancellation) => database.WriteAsync(process, () =>
    {
        var stored = database.PrimaryOf(tenant).Progress.GetValueOrDefault(shard, ShardProgress.None);
        if (database.Rules.GuardedProgress && stored.LogId == progress.LogId && stored.Position >= progress.Position)
            database.Tally.Note(Situation.ProgressOutdated);
        else
            database.Apply(tenant, state => state.Progress[shard] = progress);
        return true;
    });

    public Task<IReadOnlyList<CounterRow>> ListAsync(CounterQuery query, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyList<CounterRow>>(process, tenant, state =>
        [
            .. state.Rows.Values.Select(stored => stored.Row).Where(row => Keeps(query, row.Counter))
                .OrderBy(row => row.Counter.Key, ByKey)
                .SkipWhile(row => query.After is { } after && ByKey.Compare(row.Counter.Key, after) <= 0).Take(query.Limit),
        ]);

    public Task<IReadOnlyList<CounterRow>> DirtyAsync(int limit, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyList<CounterRow>>(process, tenant, state =>
        [
            .. state.Rows.Values.Where(stored => stored.DirtySince is not null)
                .OrderBy(stored => stored.DirtySince).Take(limit).Select(stored => stored.Row),
        ]);

    public Task ClearDirtyAsync(IReadOnlyCollection<CounterRow> rows, CancellationToken cancellation) => database.WriteAsync(process, () =>
    {
        foreach (var row in rows)
        {
            if (!database.PrimaryOf(tenant).Rows.TryGetValue(row.Counter.Key, out var stored))
                continue;
            var isSame = stored.Row.LogId == row.LogId && stored.Row.Counter.Version == row.Counter.Version;
            // What has changed since goes behind the others, so that none waits for ever.
            Store(stored with { DirtySince = isSame ? null : stored.Row.Projected.Ticks });
        }

        return true;
    });

    public Task MarkDirtyAsync(string metric, CancellationToken cancellation) => database.WriteAsync(process, () =>
    {
        foreach (var stored in database.PrimaryOf(tenant).Rows.Values.Where(stored => stored.Row.Counter.Key.Metric == metric).ToArray())
            Store(stored with { DirtySince = stored.DirtySince ?? stored.Row.Projected.Ticks });
        return true;
    });

    private static Comparer<CounterKey> ByKey { get; } = Comparer<CounterKey>.Create((left, right) =>
    {
        var order = CodePointOrder.Instance.Compare(left.Metric, right.Metric);
        if (order == 0)
            order = CodePointOrder.Instance.Compare(left.Customer, right.Customer);
        return order != 0 ? order : left.PeriodStart.CompareTo(right.PeriodStart);
    });

    private static bool Keeps(CounterQuery query, Counter counter) =>
        (query.Metric is null || query.Metric == counter.Key.Metric)
        && (query.Customer is null || query.Customer == counter.Key.Customer)
        && (query.At is not { } at || counter.Period.Contains(at));

    private Task<bool> WriteRowsAsync(IReadOnlyCollection<CounterRow> rows) => database.WriteAsync(process, () =>
    {
        foreach (var row in rows)
            Write(row);
        return true;
    });

    /// <summary>Some rows are written, and the caller is told that the write failed.</summary>
    private async Task WriteTornAsync(IReadOnlyCollection<CounterRow> rows)
    {
        await WriteRowsAsync([.. rows.Where(_ => database.Network.Dice.Next(2) == 0)]).ConfigureAwait(false);
        throw new StoreUnavailableException("Some rows may be written.");
    }

    private void Write(CounterRow row)
    {
        var stands = database.PrimaryOf(tenant).Rows.TryGetValue(row.Counter.Key, out var stored);
        if (stands && database.Rules.GuardedRows && stored.Row.LogId == row.LogId && row.Counter.Version <= stored.Row.Counter.Version)
        {
            database.Tally.Note(Situation.RowOutdated);
            return;
        }

        Store(new StoredRow(row, stored.DirtySince ?? row.Projected.Ticks));
    }

    private void Store(StoredRow stored) => database.Apply(tenant, state => state.Rows[stored.Row.Counter.Key] = stored);
}
