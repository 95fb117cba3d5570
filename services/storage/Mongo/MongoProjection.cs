using MongoDB.Bson;
using MongoDB.Driver;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Storage.Mongo.Documents;

namespace StripeMeter.Storage.Mongo;

/// <summary>The projected counters of one tenant in MongoDB, one document each.</summary>
internal sealed partial class MongoProjection(MongoCollections collections, TenantId tenant) : IProjection
{
    /// <summary>Rows loaded in one query.</summary>
    public const int QueryRows = 500;

    private const int RaiseTries = 4;

    private static readonly FilterDefinitionBuilder<CounterDocument> Where = Builders<CounterDocument>.Filter;
    private static readonly UpdateDefinitionBuilder<CounterDocument> Change = Builders<CounterDocument>.Update;

    private FilterDefinition<CounterDocument> Mine => Where.Eq(row => row.Tenant, tenant.Value);

    public Task<ShardProgress> ProgressAsync(int shard, CancellationToken cancellation) => MongoFailures.RepeatAsync(async () =>
    {
        var progress = await collections.Progress.Find(candidate => candidate.Id == DocumentId.Of(tenant, shard))
            .FirstOrDefaultAsync(cancellation).ConfigureAwait(false);
        return progress?.ToProgress() ?? ShardProgress.None;
    });

    public Task<IReadOnlyDictionary<CounterKey, CounterRow>> LoadAsync(
        IReadOnlyCollection<CounterKey> keys, CancellationToken cancellation) =>
        MongoFailures.RepeatAsync<IReadOnlyDictionary<CounterKey, CounterRow>>(async () =>
        {
            var rows = new Dictionary<CounterKey, CounterRow>(keys.Count);
            foreach (var chunk in keys.Chunk(QueryRows))
            {
                await collections.Counters.Find(Where.Or(chunk.Select(Is))).ForEachAsync(
                    document =>
                    {
                        var row = document.ToRow();
                        rows[row.Counter.Key] = row;
                    },
                    cancellation).ConfigureAwait(false);
            }

            return rows;
        });

    public Task<IReadOnlyList<CounterRow>> WriteAsync(IReadOnlyCollection<CounterRow> rows, CancellationToken cancellation) =>
        MongoFailures.RepeatAsync<IReadOnlyList<CounterRow>>(async () =>
        {
            if (rows.Count == 0)
                return [];
            var writes = rows.Select(row => Write(row, isUpsert: true)).ToArray();
            try
            {
                await collections.Counters.BulkWriteAsync(writes, Unordered, cancellation).ConfigureAwait(false);
                return [];
            }
            catch (MongoBulkWriteException<CounterDocument> failure) when (failure.WriteConcernError is null)
            {
                // An upsert that finds no row to replace inserts, and clashes with one that is as new, or that has only now come.
                var clashes = failure.WriteErrors.Where(error => error.Category == ServerErrorCategory.DuplicateKey).ToArray();
                if (clashes.Length < failure.WriteErrors.Count)
                    throw;
                return await WriteOverAsync(Array.ConvertAll(clashes, error => rows.ElementAt(error.Index)), cancellation).ConfigureAwait(false);
            }
        });

    public Task RaiseAsync(int shard, ShardProgress progress, CancellationToken cancellation) => MongoFailures.RepeatAsync(async () =>
    {
        for (var attempt = 0; attempt < RaiseTries; attempt++)
        {
            if (await RaiseWithinAsync(shard, progress, cancellation).ConfigureAwait(false)
                || await ReplaceOtherLogAsync(shard, progress, cancellation).ConfigureAwait(false))
            {
                return;
            }
        }

        throw new StoreUnavailableException("The projected position is being changed by others all the time.");
    });

    public Task<IReadOnlyList<CounterRow>> ListAsync(CounterQuery query, CancellationToken cancellation)
    {
        var filter = Mine;
        if (query.Metric is not null)
            filter &= Where.Eq(row => row.Metric, query.Metric);
        if (query.Customer is not null)
            filter &= Where.Eq(row => row.Customer, query.Customer);
        if (query.At is { } at)
            filter &= Where.Lte(row => row.PeriodStart, at.Ticks) & Where.Gt(row => row.PeriodEnd, at.Ticks);
        if (query.After is { } after)
        {
            filter &= TupleFilter.Behind(
                ascending: true, ("metric", after.Metric), ("customer", after.Customer), ("periodStart", after.PeriodStart.Ticks));
        }

        return SelectAsync(filter, new BsonDocument { { "metric", 1 }, { "customer", 1 }, { "periodStart", 1 } }, query.Limit, cancellation);
    }

    public Task<IReadOnlyList<CounterRow>> DirtyAsync(int limit, CancellationToken cancellation) => SelectAsync(
        Mine & Where.Exists(row => row.DirtySince), new BsonDocument("dirtySince", 1), limit, cancellation);

    public Task ClearDirtyAsync(IReadOnlyCollection<CounterRow> rows, CancellationToken cancellation) =>
        MongoFailures.RepeatAsync(async () =>
        {
            if (rows.Count > 0)
                await collections.Counters.BulkWriteAsync(rows.SelectMany(Clear), Unordered, cancellation).ConfigureAwait(false);
        });

    public Task PostponeDirtyAsync(IReadOnlyCollection<CounterRow> rows, Instant now, CancellationToken cancellation) =>
        MongoFailures.RepeatAsync(async () =>
        {
            if (rows.Count > 0)
                await collections.Counters.BulkWriteAsync(rows.Select(row => Postpone(row, now)), Unordered, cancellation).ConfigureAwait(false);
        });

    /// <summary>Rows so marked come before those that have changed, for nobody knows since when they wait.</summary>
    public Task MarkDirtyAsync(string metric, CancellationToken cancellation) => MongoFailures.RepeatAsync(
        () => collections.Counters.UpdateManyAsync(
            Mine & Where.Eq(row => row.Metric, metric) & Where.Exists(row => row.DirtySince, false),
            Change.Set(row => row.DirtySince, 0), cancellationToken: cancellation));

    private static BulkWriteOptions Unordered => new() { IsOrdered = false };

    private Task<IReadOnlyList<CounterRow>> SelectAsync(
        FilterDefinition<CounterDocument> filter, BsonDocument order, int limit, CancellationToken cancellation) =>
        MongoFailures.RepeatAsync<IReadOnlyList<CounterRow>>(async () =>
        {
            var found = await collections.Counters.Find(filter).Sort(order).Limit(limit).ToListAsync(cancellation).ConfigureAwait(false);
            return found.ConvertAll(row => row.ToRow());
        });

    /// <summary>Writes over rows that are there. Returns those that stay.</summary>
    private async Task<IReadOnlyList<CounterRow>> WriteOverAsync(CounterRow[] rows, CancellationToken cancellation)
    {
        var updates = Array.ConvertAll(rows, row => Write(row, isUpsert: false));
        var result = await collections.Counters.BulkWriteAsync(updates, Unordered, cancellation).ConfigureAwait(false);
        if (result.MatchedCount == rows.Length)
            return [];
        var stored = await LoadAsync(Array.ConvertAll(rows, row => row.Counter.Key), cancellation).ConfigureAwait(false);
        if (stored.Count < rows.Length)
            throw new StoreUnavailableException("A row that stands in the way is not held by a majority yet.");
        // A row that is as ours was written by us or holds the same: it stands as well as if we had written it.
        return [.. rows.Where(row => stored[row.Counter.Key] != row).Select(row => stored[row.Counter.Key])];
    }

    private FilterDefinition<CounterDocument> Is(CounterKey key) => Mine & Where.Eq(row => row.Metric, key.Metric)
        & Where.Eq(row => row.Customer, key.Customer) & Where.Eq(row => row.PeriodStart, key.PeriodStart.Ticks);

    /// <summary>Changes a row only where this one covers it, or it is of another log. Its mark is made by the same write and keeps its age.</summary>
    private UpdateOneModel<CounterDocument> Write(CounterRow row, bool isUpsert)
    {
        var version = row.Counter.Version;
        var older = Where.Or(
            Where.Ne(stored => stored.LogId, row.LogId),
            Where.Lt(stored => stored.RecutPosition, version.RecutPosition) & Where.Lte(stored => stored.Position, version.Position),
            Where.Eq(stored => stored.RecutPosition, version.RecutPosition) & Where.Lt(stored => stored.Position, version.Position));
        var values = CounterDocument.Of(tenant, row).ToBsonDocument();
        foreach (var part in (string[])["tenant", "metric", "customer", "periodStart"])
            values.Remove(part);
        var update = new BsonDocument { { "$set", values }, { "$min", new BsonDocument("dirtySince", row.Projected.Ticks) } };
        return new UpdateOneModel<CounterDocument>(Is(row.Counter.Key) & older, update) { IsUpsert = isUpsert };
    }

    /// <summary>A row that has changed since it was read keeps its mark, but goes behind those that have waited longer.</summary>
    private UpdateOneModel<CounterDocument>[] Clear(CounterRow row)
    {
        var version = row.Counter.Version;
        var unchanged = Where.Eq(stored => stored.LogId, row.LogId) & Where.Eq(stored => stored.RecutPosition, version.RecutPosition)
            & Where.Eq(stored => stored.Position, version.Position);
        return
        [
            new(Is(row.Counter.Key) & unchanged, Change.Unset(stored => stored.DirtySince)),
            Postpone(row, row.Projected),
        ];
    }

    private UpdateOneModel<CounterDocument> Postpone(CounterRow row, Instant since) =>
        new(Is(row.Counter.Key) & Where.Exists(stored => stored.DirtySince), Change.Max(stored => stored.DirtySince, since.Ticks));

    /// <summary>False if the progress is of another log, or there is none.</summary>
    private async Task<bool> RaiseWithinAsync(int shard, ShardProgress progress, CancellationToken cancellation)
    {
        var raised = await collections.Progress.UpdateOneAsync(
            stored => stored.Id == DocumentId.Of(tenant, shard) && stored.LogId == progress.LogId,
            Builders<ProgressDocument>.Update.Max(stored => stored.Position, progress.Position),
            cancellationToken: cancellation).ConfigureAwait(false);
        return raised.MatchedCount == 1;
    }

    /// <summary>False if the progress has come to be of this log.</summary>
    private async Task<bool> ReplaceOtherLogAsync(int shard, ShardProgress progress, CancellationToken cancellation)
    {
        try
        {
            await collections.Progress.UpdateOneAsync(
                stored => stored.Id == DocumentId.Of(tenant, shard) && stored.LogId != progress.LogId,
                Builders<ProgressDocument>.Update.Set(stored => stored.LogId, progress.LogId)
                    .Set(stored => stored.Position, progress.Position),
                new UpdateOptions { IsUpsert = true }, cancellation).ConfigureAwait(false);
            return true;
        }
        catch (MongoException failure) when (MongoFailures.IsDuplicate(failure))
        {
            return false;
        }
    }
}
