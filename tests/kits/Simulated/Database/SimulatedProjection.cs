using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Text;
using StripeMeter.Metering.Time;

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

    public async Task<IReadOnlyList<CounterRow>> WriteAsync(IReadOnlyCollection<CounterRow> rows, CancellationToken cancellation)
    {
        if (rows.Count > 1 && database.Network.Dice.Strikes(Fault.WriteTorn))
            await database.TearAsync(rows, WriteRowsAsync).ConfigureAwait(false);
        var refused = await WriteRowsAsync(rows).ConfigureAwait(false);
        if (refused.Count == 0)
            return [];
        // What stands in the way is said only as a majority holds it.
        var standing = await LoadAsync(refused, cancellation).ConfigureAwait(false);
        return standing.Count == refused.Count
            ? [.. standing.Values]
            : throw new StoreUnavailableException("A row that stands in the way is not held by a majority yet.");
    }

    public Task AddRecountsAsync(int shard, IReadOnlyCollection<RecountItem> items, CancellationToken cancellation) =>
        items.Count > 1 && database.Network.Dice.Strikes(Fault.WriteTorn)
            ? database.TearAsync(items, some => AddAsync(shard, some))
            : AddAsync(shard, items);

    public Task<IReadOnlyList<RecountItem>> RecountsAsync(int shard, int limit, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyList<RecountItem>>(process, tenant, state =>
        [
            .. state.Recounts.Where(recount => recount.Key.Shard == shard).OrderBy(recount => recount.Value).Take(limit)
                .Select(recount => new RecountItem(recount.Key.LogId, recount.Value, recount.Key.Scope)),
        ]);

    public Task CloseRecountAsync(int shard, RecountItem item, CancellationToken cancellation) => database.WriteAsync(process, () =>
    {
        var key = (shard, item.LogId, item.Scope);
        if (database.PrimaryOf(tenant).Recounts.TryGetValue(key, out var recut) && recut == item.Recut)
            database.Apply(tenant, state => state.Recounts.Remove(key));
        return true;
    });

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

    public Task PostponeDirtyAsync(IReadOnlyCollection<CounterRow> rows, Instant now, CancellationToken cancellation) =>
        database.WriteAsync(process, () =>
        {
            foreach (var key in rows.Select(row => row.Counter.Key))
            {
                if (database.PrimaryOf(tenant).Rows.TryGetValue(key, out var stored) && stored.DirtySince is { } since)
                    Store(stored with { DirtySince = Math.Max(since, now.Ticks) });
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

    /// <summary>Returns the keys of rows that were not written.</summary>
    private Task<List<CounterKey>> WriteRowsAsync(IReadOnlyCollection<CounterRow> rows) => database.WriteAsync(
        process, () => rows.Where(row => !Write(row)).Select(row => row.Counter.Key).ToList());

    private Task<bool> AddAsync(int shard, IReadOnlyCollection<RecountItem> items) => database.WriteAsync(process, () =>
    {
        foreach (var item in items)
        {
            var key = (shard, item.LogId, item.Scope);
            database.Apply(tenant, state => state.Recounts[key] = Math.Max(state.Recounts.GetValueOrDefault(key), item.Recut));
        }

        return true;
    });

    private bool Write(CounterRow row)
    {
        var stands = database.PrimaryOf(tenant).Rows.TryGetValue(row.Counter.Key, out var stored);
        if (stands && database.Rules.GuardedRows && stored.Row.LogId == row.LogId)
        {
            var (ours, theirs) = (row.Counter.Version, stored.Row.Counter.Version);
            if (ours == theirs || !database.Rules.Covers(ours, theirs))
            {
                database.Tally.Note(theirs.Covers(ours) ? Situation.RowOutdated : Situation.RowNotCovered);
                return false;
            }
        }

        Store(new StoredRow(row, stored.DirtySince ?? row.Projected.Ticks));
        return true;
    }

    private void Store(StoredRow stored) => database.Apply(tenant, state => state.Rows[stored.Row.Counter.Key] = stored);
}
