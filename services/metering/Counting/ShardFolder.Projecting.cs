using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Counting;

/// <content>From records to rows.</content>
public sealed partial class ShardFolder
{
    /// <summary>
    /// Folds records in the order of their positions and projects the counters they touch. What a re-cut makes due to be
    /// counted anew is stored before the projected position passes the re-cut.
    /// </summary>
    private async Task<int> ProjectAsync(List<Countable> records, long reached, CancellationToken cancellation)
    {
        if (reached == _folded.Position)
            return 0;
        if (records.Exists(record => record.IsRecut))
            reached = await CutAtFullQueueAsync(records, reached, cancellation).ConfigureAwait(false);
        await _cancellations.PrepareAsync(records, cancellation).ConfigureAwait(false);
        var recounts = new List<RecountItem>();
        var counting = Sort(records, recounts);
        await LoadAsync(counting.Select(item => item.Key), cancellation).ConfigureAwait(false);
        var touched = Fold(counting, out var counted);

        var progress = _folded with { Position = reached };
        await WriteAsync(touched, cancellation).ConfigureAwait(false);
        if (recounts.Count > 0)
            await projection.AddRecountsAsync(shard, recounts, cancellation).ConfigureAwait(false);
        await projection.RaiseAsync(shard, progress, cancellation).ConfigureAwait(false);
        await state.SaveAsync(progress, touched.Values, cancellation).ConfigureAwait(false);
        _folded = progress;
        _onlyInState.Clear();
        // All of them are projected now, so they can be loaded again.
        if (_counters.Count > options.HeldCounters)
            _counters.Clear();
        return counted;
    }

    /// <summary>Deals records to counters and re-cuts to work items. An anchor changes periods from its position on.</summary>
    private List<Counting> Sort(List<Countable> records, List<RecountItem> recounts)
    {
        var counting = new List<Counting>(records.Count);
        foreach (var record in records)
        {
            if (record.IsRecut)
            {
                recounts.Add(new RecountItem(_folded.LogId, record.Position, ScopeOf(record)));
            }
            else if (record.Counts && (record.IsPlain || !_cancellations.IsCancelled(record)))
            {
                var period = _periods.PeriodOf(record.Customer, record.Timestamp);
                counting.Add(new Counting(new CounterKey(record.Metric, record.Customer, period.Start), period, record));
            }
        }

        return counting;
    }

    private Dictionary<CounterKey, Counter> Fold(List<Counting> counting, out int counted)
    {
        // A counter that only the state had holds these records already; its row is still to be written.
        var touched = _onlyInState.ToDictionary(key => key, key => _counters[key]);
        counted = 0;
        foreach (var (key, period, record) in counting)
        {
            var before = _counters.GetValueOrDefault(key) ?? Counter.Empty(key, period);
            var after = before.With(record);
            if (ReferenceEquals(before, after))
                continue;
            // An anchor may have changed where the period ends.
            _counters[key] = touched[key] = after.Period == period ? after : after with { Period = period };
            counted++;
        }

        return touched;
    }

    /// <summary>
    /// Writes rows. A row that another activation has written instead may hold all that ours does, and is taken over; if
    /// it was counted anew and lacks what we folded since, our copy is not its continuation, and we start over with it.
    /// </summary>
    private async Task WriteAsync(Dictionary<CounterKey, Counter> touched, CancellationToken cancellation)
    {
        if (touched.Count == 0)
            return;
        var now = Instant.Of(clock.GetUtcNow());
        var rows = touched.Values.Select(counter => new CounterRow(counter, shard, _folded.LogId, now)).ToArray();
        foreach (var standing in await projection.WriteAsync(rows, cancellation).ConfigureAwait(false))
        {
            var key = standing.Counter.Key;
            if (!standing.Counter.Version.Covers(touched[key].Version))
            {
                _mayExceedQueue = true;
                throw new StoreUnavailableException("A counter was counted anew elsewhere; its shard starts over.");
            }

            _counters[key] = touched[key] = standing.Counter;
        }
    }

    /// <summary>Brings counters into memory: the row, or the state where it holds more.</summary>
    private async Task LoadAsync(IEnumerable<CounterKey> keys, CancellationToken cancellation)
    {
        var missing = keys.Where(key => !_counters.ContainsKey(key)).ToHashSet();
        if (missing.Count == 0)
            return;
        var rows = await projection.LoadAsync(missing, cancellation).ConfigureAwait(false);
        foreach (var key in missing)
        {
            var counter = rows.TryGetValue(key, out var row) && row.LogId == _folded.LogId ? row.Counter : null;
            if (_stateIsAhead)
            {
                var saved = await state.LoadAsync(_folded.LogId, key, cancellation).ConfigureAwait(false);
                if (saved is not null && (counter is null || (saved.Version != counter.Version && saved.Version.Covers(counter.Version))))
                {
                    counter = saved;
                    _onlyInState.Add(key);
                }
            }

            if (counter is not null)
                _counters[key] = counter;
        }
    }

    private readonly record struct Counting(CounterKey Key, BillingPeriod Period, Countable Record);
}
