using StripeMeter.Metering.Ledger;

namespace StripeMeter.Metering.Counting;

/// <summary>What became of installing a recount.</summary>
public enum InstallOutcome
{
    /// <summary>The counters are what was counted, or were newer already.</summary>
    Installed = 1,

    /// <summary>Too much was folded meanwhile: the recount has to follow first.</summary>
    Follow = 2,

    /// <summary>What was counted is not what the log has any more, or not yet what this shard has folded.</summary>
    StartAgain = 3,
}

/// <summary>The answer to an install.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Folded">How far the shard is folded.</param>
public readonly record struct InstallResult(InstallOutcome Outcome, long Folded);

/// <content>Counting anew: what a re-cut leaves to be done, and taking over what was counted.</content>
public sealed partial class ShardFolder
{
    /// <summary>
    /// Takes over counters that were counted anew: looks at what came in since, and replaces those that a re-cut concerns.
    /// Those of the range that are no more are emptied.
    /// </summary>
    public Task<InstallResult> InstallAsync(Recount recount, CancellationToken cancellation) =>
        GuardAsync(() => InstallCountersAsync(recount, cancellation));

    private async Task<InstallResult> InstallCountersAsync(Recount recount, CancellationToken cancellation)
    {
        await ActivateAsync(cancellation).ConfigureAwait(false);
        // Another activation may be ahead; what it projected is where this one has to be at least.
        if (_folded.Position < recount.Position || _folded.LogId != recount.LogId)
            await FollowLogAsync(cancellation).ConfigureAwait(false);
        if (_folded.Position < recount.Position || _folded.LogId != recount.LogId)
            return Answer(InstallOutcome.StartAgain);
        if (_folded.Position - recount.Position > options.TurnRecords)
            return Answer(InstallOutcome.Follow);
        var recounter = new Recounter(shard, ledger, options.PageRecords);
        if (await recounter.FollowAsync(recount, _folded.Position, cancellation).ConfigureAwait(false) is not { } followed)
            return Answer(InstallOutcome.StartAgain);

        var present = await PresentAsync(followed, cancellation).ConfigureAwait(false);
        // The row of a counter that only the state had is still to be written, even if the counter stays as it is.
        var replaced = present.Where(before => _onlyInState.Contains(before.Key)).ToDictionary(before => before.Key);
        foreach (var before in present)
        {
            if (Replacement(before, followed) is { } after)
                replaced[before.Key] = after;
        }

        // Also where nothing is left: else an activation that lags could still bring back what an earlier recount had found.
        foreach (var counted in followed.Counters.Values)
        {
            if (present.All(before => before.Key != counted.Key))
                replaced[counted.Key] = counted;
        }

        await WriteAsync(replaced, cancellation).ConfigureAwait(false);
        foreach (var (key, counted) in replaced)
            _counters[key] = counted;
        await state.SaveAsync(_folded, replaced.Values, cancellation).ConfigureAwait(false);
        _onlyInState.ExceptWith(replaced.Keys);
        return Answer(InstallOutcome.Installed);

        InstallResult Answer(InstallOutcome outcome) => new(outcome, _folded.Position);
    }

    /// <summary>What takes the place of a counter; null if it stays.</summary>
    private Counter? Replacement(Counter before, Recount recount)
    {
        if (recount.Counters.TryGetValue(before.Key.PeriodStart, out var counted))
            return counted.Version.RecutPosition > before.Version.RecutPosition ? counted : null;
        // No record falls in it any more: its period is none now.
        var history = _periods.HistoryOf(before.Key.Customer);
        var recut = history.RecutOf(before.Key.PeriodStart);
        return before.Aggregates.IsEmpty || recut <= before.Version.RecutPosition
            ? null
            : new Counter(before.Key, history.Now(before.Period), Aggregates.Empty, new CounterVersion(recut, _folded.Position));
    }

    /// <summary>The counters of the series that overlap the range, as this activation has them.</summary>
    private async Task<IReadOnlyList<Counter>> PresentAsync(Recount recount, CancellationToken cancellation)
    {
        var query = new CounterQuery { Metric = recount.Series.Metric, Customer = recount.Series.Customer, Limit = options.PageRecords };
        var keys = new HashSet<CounterKey>();
        while (true)
        {
            var page = await projection.ListAsync(query, cancellation).ConfigureAwait(false);
            keys.UnionWith(page.Select(row => row.Counter.Key).Where(key => recount.Range.Contains(key.PeriodStart)));
            if (page.Count < query.Limit)
                break;
            query = query with { After = page[^1].Counter.Key };
        }

        keys.UnionWith(recount.Counters.Values.Select(counted => counted.Key));
        await LoadAsync(keys, cancellation).ConfigureAwait(false);
        return [.. keys.Select(key => _counters.GetValueOrDefault(key)).OfType<Counter>()];
    }

    /// <summary>
    /// Stops before the first re-cut that there is no room for. Returns how far to go. A row that holds more than this
    /// shard has folded cannot be counted anew before the shard has come as far: then one more goes in.
    /// </summary>
    private async Task<long> CutAtFullQueueAsync(List<Countable> records, long reached, CancellationToken cancellation)
    {
        var pending = await projection.RecountsAsync(shard, options.PendingRecounts, cancellation).ConfigureAwait(false);
        // Those of re-cuts still ahead were left when rows were deleted; the same ones will be added.
        var room = options.PendingRecounts
            - pending.Count(item => item.LogId == _folded.LogId && item.Recut <= _folded.Position);
        if (_mayExceedQueue && room <= 0)
            room = 1;
        _mayExceedQueue = false;
        var excess = records.FindIndex(record => record.IsRecut && room-- <= 0);
        if (excess < 0)
            return reached;
        var end = records[excess].Position - 1;
        records.RemoveRange(excess, records.Count - excess);
        return end;
    }

    /// <summary>Which counters a re-cut concerns, with the periods there are at its position.</summary>
    private RecountScope ScopeOf(in Countable recut)
    {
        switch (recut.Kind)
        {
            case RecordKind.SessionExcluded:
                _cancellations.Note(recut);
                return RecountScope.OfSession(recut.Control!.Subject);
            case RecordKind.AnchorChanged:
                return RecountScope.OfCustomer(recut.Customer, _periods.Change(recut));
            default:
                var period = _periods.PeriodOf(recut.Customer, recut.Timestamp);
                return RecountScope.OfCounter(new CounterKey(recut.Metric, recut.Customer, period.Start), period.End);
        }
    }
}
