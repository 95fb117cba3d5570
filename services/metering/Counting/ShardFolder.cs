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
/// folders of one shard, a lost state, or messages that come twice have no effect on the result.
/// Not thread safe: one turn at a time. After an exception the folder forgets all it held and starts over.
/// </summary>
public sealed class ShardFolder(
    int shard, ILedger ledger, IProjection projection, ICounterState state, PeriodClock periods, TimeProvider clock,
    FoldOptions options)
{
    private readonly Dictionary<CounterKey, Counter> _counters = [];
    private readonly HashSet<CounterKey> _onlyInState = [];
    private bool _active;
    private bool _stateIsAhead;
    private ShardProgress _folded;
    private Hole? _hole;

    /// <summary>Folds ranges that arrived in messages, in any order, with whatever the log holds between them.</summary>
    public Task<FoldResult> FoldAsync(IReadOnlyCollection<RecordRange> ranges, CancellationToken cancellation) =>
        GuardAsync(() => FoldRangesAsync(ranges, cancellation));

    /// <summary>Folds what the log holds beyond the place reached, and fills holes that have stayed long enough.</summary>
    public Task<FoldResult> CatchUpAsync(CancellationToken cancellation) =>
        GuardAsync(() => FoldLogAsync(cancellation));

    /// <summary>The counter as folded so far; null if nothing was counted.</summary>
    public Task<Counter?> ReadAsync(CounterKey key, CancellationToken cancellation) =>
        GuardAsync(async () =>
        {
            await ActivateAsync(cancellation).ConfigureAwait(false);
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
        _hole = null;
    }

    private async Task ActivateAsync(CancellationToken cancellation)
    {
        if (_active)
            return;
        var head = await ledger.HeadAsync(shard, cancellation).ConfigureAwait(false);
        var projected = await projection.ProgressAsync(shard, cancellation).ConfigureAwait(false);
        _folded = projected.LogId == head.LogId ? projected : new ShardProgress(head.LogId, 0);
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
        return new FoldResult(reached, behind, counted);
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
        return new FoldResult(reached, reached < head.Position, counted);
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

    /// <summary>Folds records in the order of their positions and projects the counters they touch.</summary>
    private async Task<int> ProjectAsync(List<Countable> records, long reached, CancellationToken cancellation)
    {
        if (reached == _folded.Position)
            return 0;
        var keyed = records.FindAll(record => record.Kind == RecordKind.Event && !record.Late)
            .ConvertAll(record => (Record: record, Period: periods.PeriodOf(record.Customer, record.Timestamp)));
        await LoadAsync(
            keyed.Select(item => new CounterKey(item.Record.Metric, item.Record.Customer, item.Period.Start)),
            cancellation).ConfigureAwait(false);
        // A counter that only the state had holds these records already; its row is still to be written.
        var touched = _onlyInState.ToDictionary(key => key, key => _counters[key]);
        var counted = 0;
        foreach (var (record, period) in keyed)
        {
            var key = new CounterKey(record.Metric, record.Customer, period.Start);
            var before = _counters.GetValueOrDefault(key) ?? Counter.Empty(key, period);
            var after = before.With(record);
            if (ReferenceEquals(before, after))
                continue;
            _counters[key] = touched[key] = after;
            counted++;
        }

        var progress = new ShardProgress(_folded.LogId, reached);
        if (touched.Count > 0)
        {
            var now = Instant.Of(clock.GetUtcNow());
            var rows = touched.Values.Select(counter => new CounterRow(counter, shard, progress.LogId, now)).ToArray();
            await projection.WriteAsync(rows, cancellation).ConfigureAwait(false);
        }

        await projection.RaiseAsync(shard, progress, cancellation).ConfigureAwait(false);
        await state.SaveAsync(progress, touched.Values, cancellation).ConfigureAwait(false);
        _folded = progress;
        _onlyInState.Clear();
        // All of them are projected now, so they can be loaded again.
        if (_counters.Count > options.HeldCounters)
            _counters.Clear();
        return counted;
    }

    /// <summary>Brings counters into memory: the newer of row and state.</summary>
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
                if (saved is not null && (counter is null || saved.Version > counter.Version))
                {
                    counter = saved;
                    _onlyInState.Add(key);
                }
            }

            if (counter is not null)
                _counters[key] = counter;
        }
    }

    private void NoteHole(ShardHead head, bool reachedLimit)
    {
        if (_folded.Position >= head.Position || reachedLimit)
            _hole = null;
        else if (_hole?.Before != _folded.Position)
            _hole = new Hole(_folded.Position, head.Position, clock.GetTimestamp());
    }

    /// <summary>
    /// Fills the hole we stand before, once it has stayed for the patience of the shard: its writer has died. Should it
    /// live after all, it finds its position taken, takes another one, and makes readers of the shard more patient.
    /// </summary>
    private async Task FillHolesAsync(ShardHead head, CancellationToken cancellation)
    {
        if (_hole is not { } hole || hole.Before != _folded.Position)
            return;
        var doublings = Math.Min(head.Displacements, options.MaximumPatienceDoublings);
        if (clock.GetElapsedTime(hole.SeenAt) < TimeSpan.FromTicks(options.HolePatience.Ticks << doublings))
            return;
        // Positions reserved after the hole was seen have not waited yet.
        var next = await ledger.ReadAsync(shard, hole.Before, 1, cancellation).ConfigureAwait(false);
        var last = next is [var record, ..] ? Math.Min(hole.Head, record.Position - 1) : hole.Head;
        last = Math.Min(last, hole.Before + options.TurnFills);
        for (var position = hole.Before + 1; position <= last; position++)
            await ledger.FillAsync(shard, position, Instant.Of(clock.GetUtcNow()), cancellation).ConfigureAwait(false);
        _hole = null;
    }

    private sealed record Hole(long Before, long Head, long SeenAt);
}
