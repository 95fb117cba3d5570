using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Kits.Simulated.Database;

/// <summary>The shard logs of one tenant, as one process calls them: <see cref="AppendProtocol"/> over simulated records.</summary>
internal sealed class SimulatedLedger(
    SimulatedDatabase database, TenantId tenant, SimulatedProcess process, TimeProvider clock) : ILedger
{
    private readonly SimulatedRecords _records = new(database, tenant, process);
    private readonly AppendProtocol _protocol = new(new SimulatedRecords(database, tenant, process), clock);

    public ValueTask<int> ShardCountAsync(CancellationToken cancellation) => ValueTask.FromResult(database.NewTenantShards);

    public Task<IReadOnlyList<AppendOutcome>> AppendAsync(
        int shard, IReadOnlyList<LedgerRecord> records, CancellationToken cancellation) =>
        _protocol.AppendAsync(shard, records, cancellation);

    public Task<ShardHead> HeadAsync(int shard, CancellationToken cancellation) =>
        database.ReadAsync(process, tenant, state => state.HeadOf(shard));

    public Task<IReadOnlyList<Countable>> ReadAsync(
        int shard, long afterPosition, int limit, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyList<Countable>>(process, tenant, state => state.Shards.TryGetValue(shard, out var log)
            ? [.. log.Above(afterPosition).Take(limit).Select(Countable.Of)]
            : []);

    public async Task FillAsync(int shard, long position, Instant now, CancellationToken cancellation)
    {
        var head = await HeadAsync(shard, cancellation).ConfigureAwait(false);
        if (position < 1 || position > head.Position)
            throw new ArgumentOutOfRangeException(nameof(position), position, "Only reserved positions are filled.");
        var junk = new PositionedRecord(position, LedgerRecord.JunkAt(shard, position, now));
        var inserted = await _records.InsertAsync(shard, [junk], cancellation).ConfigureAwait(false);
        if (inserted[0] == InsertOutcome.Inserted)
        {
            database.Tally.Note(Situation.HoleFilled);
            return;
        }

        var page = await ReadAsync(shard, position - 1, 1, cancellation).ConfigureAwait(false);
        if (page is not [var standing] || standing.Position != position)
            throw new StoreUnavailableException("What stands on the position is not held by a majority yet.");
    }

    public Task<IReadOnlyDictionary<RecordKey, LedgerEntry>> FindAsync(
        IReadOnlyCollection<RecordKey> keys, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyDictionary<RecordKey, LedgerEntry>>(process, tenant, state => keys.Distinct()
            .Where(state.Records.ContainsKey).Select(key => (Key: key, Placed: state.Records[key]))
            .ToDictionary(found => found.Key, found => new LedgerEntry(found.Placed.Shard, found.Placed.Position, found.Placed.Record)));

    public Task<IReadOnlyList<Countable>> ReadControlsAsync(
        int shard, RecordKind kind, long afterPosition, int limit, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyList<Countable>>(process, tenant, state => state.Shards.TryGetValue(shard, out var log)
            ? [.. log.Above(afterPosition).Where(placed => placed.Record.Kind == kind).Take(limit).Select(Countable.Of)]
            : []);

    public Task<IReadOnlyList<EventSeries>> SeriesAsync(SeriesQuery query, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyList<EventSeries>>(process, tenant, state => [.. EventListing.SeriesOf(state.Records.Values, query)]);

    public Task<IReadOnlyList<LedgerEntry>> QueryAsync(EventQuery query, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyList<LedgerEntry>>(process, tenant, state => [.. EventListing.Of(state.Records.Values, query)]);

    public Task<long> CountAsync(EventQuery query, CancellationToken cancellation) => database.ReadAsync(
        process, tenant,
        state => EventListing.Of(state.Records.Values, query with { After = null, Offset = 0, Limit = int.MaxValue }).LongCount());
}
