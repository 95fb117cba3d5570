using StripeMeter.Kits.Simulated.Database;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Time;
using StripeMeter.Simulation.Counting;

namespace StripeMeter.Metering.Tests.Simulating;

/// <summary>Counting with one safeguard taken away, each by its name.</summary>
internal static class BrokenProtocols
{
    public static IReadOnlyDictionary<string, CountingVariant> All { get; } = new Dictionary<string, CountingVariant>
    {
        ["unique keys"] = new() { Rules = new DatabaseRules { UniqueKeys = false } },
        ["unique positions"] = new() { Rules = new DatabaseRules { UniquePositions = false } },
        ["majority reads"] = new() { Rules = new DatabaseRules { MajorityReads = false } },
        ["majority writes"] = new() { Rules = new DatabaseRules { MajorityWrites = false } },
        ["guarded rows"] = new() { Rules = new DatabaseRules { GuardedRows = false } },
        ["guarded progress"] = new() { Rules = new DatabaseRules { GuardedProgress = false } },
        ["catch-up"] = new() { CatchesUp = false },
        ["hole filling"] = new() { Ledger = ledger => new LedgerThatNeverFills(ledger) },
        ["starting at the projected position"] = new() { Projection = (projection, state) => new ResumingProjection(projection, state) },
        ["the order of re-cuts"] = new() { Rules = new DatabaseRules { Covers = (ours, theirs) => ours > theirs } },
        ["noticing a row that was counted anew elsewhere"] = new() { Projection = (projection, _) => new HeedlessProjection(projection) },
        ["work items before the projected position"] = new() { Projection = (projection, _) => new TardyProjection(projection) },
        ["looking for what cancels a record"] = new() { Ledger = ledger => new LedgerWithoutControls(ledger) },
        ["the version of a counter"] = new() { Projection = (projection, _) => new ForgetfulProjection(projection) },
    };

    /// <summary>Leaves holes as they are.</summary>
    private sealed class LedgerThatNeverFills(ILedger ledger) : LedgerOver(ledger)
    {
        public override Task FillAsync(int shard, long position, Instant now, CancellationToken cancellation) => Task.CompletedTask;
    }

    /// <summary>Finds no reverts and no exclusions.</summary>
    private sealed class LedgerWithoutControls(ILedger ledger) : LedgerOver(ledger)
    {
        public override Task<IReadOnlyDictionary<RecordKey, LedgerEntry>> FindAsync(
            IReadOnlyCollection<RecordKey> keys, CancellationToken cancellation) =>
            base.FindAsync([.. keys.Where(key => key.Space != KeySpace.Control)], cancellation);
    }

    private abstract class LedgerOver(ILedger ledger) : ILedger
    {
        public ValueTask<int> ShardCountAsync(CancellationToken cancellation) => ledger.ShardCountAsync(cancellation);

        public Task<IReadOnlyList<AppendOutcome>> AppendAsync(
            int shard, IReadOnlyList<LedgerRecord> records, CancellationToken cancellation) =>
            ledger.AppendAsync(shard, records, cancellation);

        public Task<ShardHead> HeadAsync(int shard, CancellationToken cancellation) => ledger.HeadAsync(shard, cancellation);

        public Task<IReadOnlyList<Countable>> ReadAsync(int shard, long afterPosition, int limit, CancellationToken cancellation) =>
            ledger.ReadAsync(shard, afterPosition, limit, cancellation);

        public virtual Task FillAsync(int shard, long position, Instant now, CancellationToken cancellation) =>
            ledger.FillAsync(shard, position, now, cancellation);

        public virtual Task<IReadOnlyDictionary<RecordKey, LedgerEntry>> FindAsync(
            IReadOnlyCollection<RecordKey> keys, CancellationToken cancellation) => ledger.FindAsync(keys, cancellation);

        public Task<IReadOnlyList<Countable>> ReadControlsAsync(
            int shard, RecordKind kind, long afterPosition, int limit, CancellationToken cancellation) =>
            ledger.ReadControlsAsync(shard, kind, afterPosition, limit, cancellation);

        public Task<IReadOnlyList<EventSeries>> SeriesAsync(SeriesQuery query, CancellationToken cancellation) =>
            ledger.SeriesAsync(query, cancellation);

        public Task<IReadOnlyList<LedgerEntry>> QueryAsync(EventQuery query, CancellationToken cancellation) =>
            ledger.QueryAsync(query, cancellation);

        public Task<long> CountAsync(EventQuery query, CancellationToken cancellation) => ledger.CountAsync(query, cancellation);
    }

    /// <summary>Lets a folder go on where its own state says it stopped: what the state held and no row did is lost.</summary>
    private sealed class ResumingProjection(IProjection projection, ICounterState state) : ProjectionOver(projection)
    {
        public override async Task<ShardProgress> ProgressAsync(int shard, CancellationToken cancellation) =>
            await state.LoadProgressAsync(cancellation).ConfigureAwait(false)
            ?? await base.ProgressAsync(shard, cancellation).ConfigureAwait(false);
    }

    /// <summary>Rows that do not say which records they hold.</summary>
    private sealed class ForgetfulProjection(IProjection projection) : ProjectionOver(projection)
    {
        public override async Task<IReadOnlyDictionary<CounterKey, CounterRow>> LoadAsync(
            IReadOnlyCollection<CounterKey> keys, CancellationToken cancellation)
        {
            var rows = await base.LoadAsync(keys, cancellation).ConfigureAwait(false);
            return rows.ToDictionary(row => row.Key, row => row.Value with { Counter = row.Value.Counter with { Version = default } });
        }
    }

    /// <summary>Passes over rows that were not written.</summary>
    private sealed class HeedlessProjection(IProjection projection) : ProjectionOver(projection)
    {
        public override async Task<IReadOnlyList<CounterRow>> WriteAsync(
            IReadOnlyCollection<CounterRow> rows, CancellationToken cancellation)
        {
            await base.WriteAsync(rows, cancellation).ConfigureAwait(false);
            return [];
        }
    }

    /// <summary>Stores what a re-cut left to do only behind the projected position.</summary>
    private sealed class TardyProjection(IProjection projection) : ProjectionOver(projection)
    {
        private IReadOnlyCollection<RecountItem> _late = [];

        public override Task AddRecountsAsync(int shard, IReadOnlyCollection<RecountItem> items, CancellationToken cancellation)
        {
            _late = items;
            return Task.CompletedTask;
        }

        public override async Task RaiseAsync(int shard, ShardProgress progress, CancellationToken cancellation)
        {
            await base.RaiseAsync(shard, progress, cancellation).ConfigureAwait(false);
            var items = _late;
            _late = [];
            await base.AddRecountsAsync(shard, items, cancellation).ConfigureAwait(false);
        }
    }

    private abstract class ProjectionOver(IProjection projection) : IProjection
    {
        public virtual Task<ShardProgress> ProgressAsync(int shard, CancellationToken cancellation) =>
            projection.ProgressAsync(shard, cancellation);

        public virtual Task<IReadOnlyDictionary<CounterKey, CounterRow>> LoadAsync(
            IReadOnlyCollection<CounterKey> keys, CancellationToken cancellation) => projection.LoadAsync(keys, cancellation);

        public virtual Task<IReadOnlyList<CounterRow>> WriteAsync(
            IReadOnlyCollection<CounterRow> rows, CancellationToken cancellation) => projection.WriteAsync(rows, cancellation);

        public virtual Task AddRecountsAsync(
            int shard, IReadOnlyCollection<RecountItem> items, CancellationToken cancellation) =>
            projection.AddRecountsAsync(shard, items, cancellation);

        public Task<IReadOnlyList<RecountItem>> RecountsAsync(int shard, int limit, CancellationToken cancellation) =>
            projection.RecountsAsync(shard, limit, cancellation);

        public Task CloseRecountAsync(int shard, RecountItem item, CancellationToken cancellation) =>
            projection.CloseRecountAsync(shard, item, cancellation);

        public virtual Task RaiseAsync(int shard, ShardProgress progress, CancellationToken cancellation) =>
            projection.RaiseAsync(shard, progress, cancellation);

        public Task<IReadOnlyList<CounterRow>> ListAsync(CounterQuery query, CancellationToken cancellation) =>
            projection.ListAsync(query, cancellation);

        public Task<IReadOnlyList<CounterRow>> DirtyAsync(int limit, CancellationToken cancellation) =>
            projection.DirtyAsync(limit, cancellation);

        public Task ClearDirtyAsync(IReadOnlyCollection<CounterRow> rows, CancellationToken cancellation) =>
            projection.ClearDirtyAsync(rows, cancellation);

        public Task PostponeDirtyAsync(IReadOnlyCollection<CounterRow> rows, Instant now, CancellationToken cancellation) =>
            projection.PostponeDirtyAsync(rows, now, cancellation);

        public Task MarkDirtyAsync(string metric, CancellationToken cancellation) => projection.MarkDirtyAsync(metric, cancellation);
    }
}
