using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Counting;

/// <summary>How far a turn came.</summary>
/// <param name="Folded">All records up to here are folded and projected.</param>
/// <param name="Behind">The log is known to go on: a turn reached its limit, or stands before a hole.</param>
/// <param name="Counted">Records that changed a counter in this turn.</param>
public readonly record struct FoldResult(long Folded, bool Behind, int Counted);

/// <summary>
/// Folds the log of one shard into its counters. Starts at the projected position, whatever its own state says, because
/// only what was projected is sure to be in the rows; from there it takes the records from messages, and from the log
/// wherever messages leave a gap. A record is folded into a counter only if the counter does not hold it yet, so two
/// folders of one shard, a lost state, or messages that come twice have no effect on the result. A re-cut record leaves
/// work to be done beside the folder (<see cref="RecountRunner"/>), which comes back to install what it counted.
/// Not thread safe: one turn at a time. After an exception the folder forgets all it held and starts over.
/// </summary>
public sealed partial class ShardFolder(
    int shard, ILedger ledger, IProjection projection, ICounterState state, TimeProvider clock, FoldOptions options)
{
    private readonly Dictionary<CounterKey, Counter> _counters = [];
    private readonly HashSet<CounterKey> _onlyInState = [];
    private readonly Cancellations _cancellations = new(shard, ledger, options.HeldSessions);
    private PeriodClock _periods = new();
    private bool _active;
    private bool _stateIsAhead;
    private bool _mayExceedQueue;
    private ShardProgress _folded;
    private Hole? _hole;

    /// <summary>Folds ranges that arrived in messages, in any order, with whatever the log holds between them.</summary>
    public Task<FoldResult> FoldAsync(IReadOnlyCollection<RecordRange> ranges, CancellationToken cancellation) =>
        GuardAsync(() => FoldRangesAsync(ranges, cancellation));

    /// <summary>Folds what the log holds beyond the place reached, and fills holes that have stayed long enough.</summary>
    public Task<FoldResult> CatchUpAsync(CancellationToken cancellation) =>
        GuardAsync(() => FoldLogAsync(cancellation));

    /// <summary>The counter of the period of an instant, as folded so far; null if nothing was counted.</summary>
    public Task<Counter?> ReadAsync(string metric, string customer, Instant at, CancellationToken cancellation) =>
        GuardAsync(async () =>
        {
            await ActivateAsync(cancellation).ConfigureAwait(false);
            var key = new CounterKey(metric, customer, _periods.PeriodOf(customer, at).Start);
            await LoadAsync([key], cancellation).ConfigureAwait(false);
            return _counters.GetValueOrDefault(key);
        });

    private async Task<T> GuardAsync<T>(Func<Task<T>> turn)
    {
        try
        {
            return await turn().ConfigureAwait(false);
        }
        catch
        {
            Forget();
            throw;
        }
    }

    private void Forget()
    {
        _active = false;
        _counters.Clear();
        _onlyInState.Clear();
        _cancellations.Forget();
        _hole = null;
    }

    private async Task ActivateAsync(CancellationToken cancellation)
    {
        if (_active)
            return;
        var head = await ledger.HeadAsync(shard, cancellation).ConfigureAwait(false);
        var projected = await projection.ProgressAsync(shard, cancellation).ConfigureAwait(false);
        _folded = projected.LogId == head.LogId ? projected : new ShardProgress(head.LogId, 0);
        _periods = await PeriodClock.ReadAsync(ledger, shard, _folded.Position, cancellation).ConfigureAwait(false);
        // Rows are written before the state, so the state knows more only where rows were deleted since.
        var saved = await state.LoadProgressAsync(cancellation).ConfigureAwait(false);
        _stateIsAhead = saved is { } progress && progress.LogId == head.LogId && progress.Position > _folded.Position;
        _active = true;
    }

    private async Task<FoldResult> FoldRangesAsync(
        IReadOnlyCollection<RecordRange> ranges, CancellationToken cancellation)
    {
        await ActivateAsync(cancellation).ConfigureAwait(false);
        if (ranges.Any(range => range.LogId != _folded.LogId))
            await FollowLogAsync(cancellation).ConfigureAwait(false);

        var gathered = new List<Countable>();
        var reached = _folded.Position;
        var behind = false;
        foreach (var range in ranges.Where(range => range.LogId == _folded.LogId).OrderBy(range => range.First))
        {
            if (range.Last <= reached)
                continue;
            if (range.First > reached + 1)
                reached = await GatherAsync(gathered, reached, range.First - 1, cancellation).ConfigureAwait(false);
            behind = range.First > reached + 1;
            if (behind)
                break;
            gathered.AddRange(range.Records.Where(record => record.Position > reached));
            reached = Math.Max(reached, range.Last);
        }

        var counted = await ProjectAsync(gathered, reached, cancellation).ConfigureAwait(false);
        return new FoldResult(_folded.Position, behind || _folded.Position < reached, counted);
    }

    private async Task<FoldResult> FoldLogAsync(CancellationToken cancellation)
    {
        await ActivateAsync(cancellation).ConfigureAwait(false);
        var head = await ledger.HeadAsync(shard, cancellation).ConfigureAwait(false);
        if (head.LogId != _folded.LogId)
        {
            await FollowLogAsync(cancellation).ConfigureAwait(false);
            head = await ledger.HeadAsync(shard, cancellation).ConfigureAwait(false);
        }

        await FillHolesAsync(head, cancellation).ConfigureAwait(false);
        var gathered = new List<Countable>();
        var reached = await GatherAsync(gathered, _folded.Position, head.Position, cancellation).ConfigureAwait(false);
        var counted = await ProjectAsync(gathered, reached, cancellation).ConfigureAwait(false);
        NoteHole(head, reachedLimit: gathered.Count >= options.TurnRecords);
        return new FoldResult(_folded.Position, _folded.Position < head.Position, counted);
    }

    /// <summary>The log was restored from a backup, or has only now begun: start over with the log there is.</summary>
    private Task FollowLogAsync(CancellationToken cancellation)
    {
        Forget();
        return ActivateAsync(cancellation);
    }

    /// <summary>Reads on from the log until <paramref name="target"/>, a hole, or the limit of a turn. Returns the position reached.</summary>
    private async Task<long> GatherAsync(
        List<Countable> gathered, long reached, long target, CancellationToken cancellation)
    {
        while (reached < target && gathered.Count < options.TurnRecords)
        {
            var limit = (int)Math.Min(options.PageRecords, target - reached);
            var page = await ledger.ReadAsync(shard, reached, limit, cancellation).ConfigureAwait(false);
            var before = reached;
            foreach (var record in page)
            {
                if (record.Position != reached + 1)
                    return reached;
                gathered.Add(record);
                reached = record.Position;
            }

            if (reached == before)
                break;
        }

        return reached;
    }
}
