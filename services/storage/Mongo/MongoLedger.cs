using MongoDB.Driver;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Storage.Mongo.Documents;

namespace StripeMeter.Storage.Mongo;

/// <summary>The shard logs of one tenant in MongoDB. Appends follow <see cref="AppendProtocol"/>, for they need no transactions.</summary>
internal sealed class MongoLedger(MongoCollections collections, MongoTenants tenants, TenantId tenant, TimeProvider clock) : ILedger
{
    private static readonly FilterDefinitionBuilder<RecordDocument> Where = Builders<RecordDocument>.Filter;

    private static readonly ProjectionDefinition<RecordDocument> WithoutRest = Builders<RecordDocument>.Projection
        .Exclude(record => record.Fingerprint).Exclude(record => record.Resource).Exclude(record => record.Meta);

    private readonly MongoRecords _records = new(collections, tenant);

    public ValueTask<int> ShardCountAsync(CancellationToken cancellation) => tenants.ShardCountAsync(tenant, cancellation);

    public async Task<IReadOnlyList<AppendOutcome>> AppendAsync(
        int shard, IReadOnlyList<LedgerRecord> records, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(shard);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(shard, await ShardCountAsync(cancellation).ConfigureAwait(false));
        return await new AppendProtocol(_records, clock).AppendAsync(shard, records, cancellation).ConfigureAwait(false);
    }

    public Task<ShardHead> HeadAsync(int shard, CancellationToken cancellation) => MongoFailures.RepeatAsync(async () =>
    {
        var head = await collections.Shards.Find(candidate => candidate.Id == DocumentId.Of(tenant, shard))
            .FirstOrDefaultAsync(cancellation).ConfigureAwait(false);
        return head?.ToHead() ?? ShardHead.Empty;
    });

    public Task<IReadOnlyList<Countable>> ReadAsync(
        int shard, long afterPosition, int limit, CancellationToken cancellation) =>
        MongoFailures.RepeatAsync<IReadOnlyList<Countable>>(async () =>
        {
            var filter = Where.Gt(record => record.Id, DocumentId.Of(tenant, shard, afterPosition))
                & Where.Lte(record => record.Id, DocumentId.Of(tenant, shard, long.MaxValue));
            var records = await collections.Records.Find(filter).SortBy(record => record.Id).Limit(limit)
                .Project<RecordDocument>(WithoutRest).ToListAsync(cancellation).ConfigureAwait(false);
            return records.ConvertAll(record => record.ToCountable());
        });

    public async Task FillAsync(int shard, long position, Instant now, CancellationToken cancellation)
    {
        var head = await HeadAsync(shard, cancellation).ConfigureAwait(false);
        if (position < 1 || position > head.Position)
            throw new ArgumentOutOfRangeException(nameof(position), position, "Only reserved positions are filled.");
        var junk = new PositionedRecord(position, LedgerRecord.JunkAt(shard, position, now));
        var outcomes = await _records.InsertAsync(shard, [junk], cancellation).ConfigureAwait(false);
        // A clash says that something stands there, but not that a majority holds it.
        if (outcomes[0] != InsertOutcome.Inserted && !await StandsAsync(shard, position, cancellation).ConfigureAwait(false))
            throw new StoreUnavailableException("What stands on a position is not held by a majority yet.");
    }

    public Task<IReadOnlyDictionary<RecordKey, LedgerEntry>> FindAsync(
        IReadOnlyCollection<RecordKey> keys, CancellationToken cancellation) => _records.EntriesAsync(keys, cancellation);

    public Task<IReadOnlyList<Countable>> ReadControlsAsync(
        int shard, RecordKind kind, long afterPosition, int limit, CancellationToken cancellation) =>
        MongoFailures.RepeatAsync<IReadOnlyList<Countable>>(async () =>
        {
            var filter = Where.Eq(record => record.Tenant, tenant.Value) & Where.Eq(record => record.Shard, shard)
                & Where.Eq(record => record.Kind, (int)kind) & Where.Exists(record => record.Control)
                & Where.Gt(record => record.Position, afterPosition);
            var records = await collections.Records.Find(filter).SortBy(record => record.Position).Limit(limit)
                .ToListAsync(cancellation).ConfigureAwait(false);
            return records.ConvertAll(record => record.ToCountable());
        });

    public Task<IReadOnlyList<EventSeries>> SeriesAsync(SeriesQuery query, CancellationToken cancellation) =>
        MongoFailures.RepeatAsync<IReadOnlyList<EventSeries>>(async () =>
        {
            var series = new List<EventSeries>();
            var after = query.After;
            // From each series to the next one by the index: as many reads as there are series, however many records.
            while (series.Count < query.Limit
                && await NextSeriesAsync(query, after, cancellation).ConfigureAwait(false) is { } next)
            {
                series.Add(new EventSeries(next.Customer!, next.Metric!));
                after = (next.Customer!, next.Metric!);
            }

            return series;
        });

    public Task<IReadOnlyList<LedgerEntry>> QueryAsync(EventQuery query, CancellationToken cancellation) =>
        MongoFailures.RepeatAsync<IReadOnlyList<LedgerEntry>>(async () =>
        {
            var found = await collections.Records.Find(MongoEventQuery.Filter(tenant, query, withCursor: true))
                .Sort(MongoEventQuery.Sort(query)).Skip(query.Offset).Limit(query.Limit).ToListAsync(cancellation).ConfigureAwait(false);
            return found.ConvertAll(record => record.ToEntry());
        });

    public Task<long> CountAsync(EventQuery query, CancellationToken cancellation) => MongoFailures.RepeatAsync(
        () => collections.Records.CountDocumentsAsync(
            MongoEventQuery.Filter(tenant, query, withCursor: false), cancellationToken: cancellation));

    private Task<RecordDocument?> NextSeriesAsync(
        SeriesQuery query, (string Customer, string Metric)? after, CancellationToken cancellation)
    {
        var filter = Where.Eq(record => record.Tenant, tenant.Value) & Where.Gt(record => record.Metric, "");
        if (query.Session is not null)
            filter &= Where.Eq(record => record.Session, query.Session);
        if (query.Customer is not null)
            filter &= Where.Eq(record => record.Customer, query.Customer);
        if (query.Shard is { } shard)
            filter &= Where.Eq(record => record.Shard, shard);
        if (after is { } place)
            filter &= TupleFilter.Behind(ascending: true, ("customer", place.Customer), ("metric", place.Metric));
        return collections.Records.Find(filter).SortBy(record => record.Customer).ThenBy(record => record.Metric).Limit(1)
            .FirstOrDefaultAsync(cancellation)!;
    }

    private Task<bool> StandsAsync(int shard, long position, CancellationToken cancellation) => MongoFailures.RepeatAsync(
        () => collections.Records.Find(record => record.Id == DocumentId.Of(tenant, shard, position))
            .Project(record => record.Id).AnyAsync(cancellation));
}
