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
        ["the version of a counter"] = new() { Projection = (projection, _) => new ForgetfulProjection(projection) },
    };

    /// <summary>Leaves holes as they are.</summary>
    private sealed class LedgerThatNeverFills(ILedger ledger) : ILedger
    {
        public ValueTask<int> ShardCountAsync(CancellationToken cancellation) => ledger.ShardCountAsync(cancellation);

        public Task<IReadOnlyList<AppendOutcome>> AppendAsync(
            int shard, IReadOnlyList<LedgerRecord> records, CancellationToken cancellation) =>
            ledger.AppendAsync(shard, records, cancellation);

        public Task<ShardHead> HeadAsync(int shard, CancellationToken cancellation) => ledger.HeadAsync(shard, cancellation);

        public Task<IReadOnlyList<Countable>> ReadAsync(int shard, long afterPosition, int limit, CancellationToken cancellation) =>
            ledger.ReadAsync(shard, afterPosition, limit, cancellation);

        public Task FillAsync(int shard, long position, Instant now, CancellationToken cancellation) => Task.CompletedTask;

        public Task<IReadOnlyDictionary<RecordKey, LedgerEntry>> FindAsync(
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

    private abstract class ProjectionOver(IProjection projection) : IProjection
    {
        public virtual Task<ShardProgress> ProgressAsync(int shard, CancellationToken cancellation) =>
            projection.ProgressAsync(shard, cancellation);

        public virtual Task<IReadOnlyDictionary<CounterKey, CounterRow>> LoadAsync(
            IReadOnlyCollection<CounterKey> keys, CancellationToken cancellation) => projection.LoadAsync(keys, cancellation);

        public Task WriteAsync(IReadOnlyCollection<CounterRow> rows, CancellationToken cancellation) =>
            projection.WriteAsync(rows, cancellation);

        public Task RaiseAsync(int shard, ShardProgress progress, CancellationToken cancellation) =>
            projection.RaiseAsync(shard, progress, cancellation);

        public Task<IReadOnlyList<CounterRow>> ListAsync(CounterQuery query, CancellationToken cancellation) =>
            projection.ListAsync(query, cancellation);

        public Task<IReadOnlyList<CounterRow>> DirtyAsync(int limit, CancellationToken cancellation) =>
            projection.DirtyAsync(limit, cancellation);

        public Task ClearDirtyAsync(IReadOnlyCollection<CounterRow> rows, CancellationToken cancellation) =>
            projection.ClearDirtyAsync(rows, cancellation);

        public Task MarkDirtyAsync(string metric, CancellationToken cancellation) => projection.MarkDirtyAsync(metric, cancellation);
    }
}
