using MongoDB.Driver;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;
using StripeMeter.Storage.Mongo.Documents;

namespace StripeMeter.Storage.Mongo;

/// <summary>The records of one tenant, one document each: unique by id (shard and position) and by key.</summary>
internal sealed class MongoRecords(MongoCollections collections, TenantId tenant) : IPositionedRecords
{
    /// <summary>Keys looked up in one query.</summary>
    public const int QueryKeys = 1_000;

    private const int ReserveTries = 4;

    private static readonly FilterDefinitionBuilder<RecordDocument> Where = Builders<RecordDocument>.Filter;

    public Task<IReadOnlyDictionary<RecordKey, KnownRecord>> FindAsync(
        IReadOnlyCollection<RecordKey> keys, CancellationToken cancellation) =>
        FindAsync(keys, WithoutEvent, record => record.ToKnown(), cancellation);

    /// <summary>The records with their events.</summary>
    public Task<IReadOnlyDictionary<RecordKey, LedgerEntry>> EntriesAsync(
        IReadOnlyCollection<RecordKey> keys, CancellationToken cancellation) =>
        FindAsync(keys, null, record => record.ToEntry(), cancellation);

    private Task<IReadOnlyDictionary<RecordKey, T>> FindAsync<T>(
        IReadOnlyCollection<RecordKey> keys, ProjectionDefinition<RecordDocument>? fields, Func<RecordDocument, T> read,
        CancellationToken cancellation) =>
        MongoFailures.RepeatAsync<IReadOnlyDictionary<RecordKey, T>>(async () =>
        {
            var found = new Dictionary<RecordKey, T>();
            foreach (var space in keys.GroupBy(key => key.Space))
            {
                foreach (var chunk in space.Select(key => key.Key).Chunk(QueryKeys))
                {
                    var filter = Where.Eq(record => record.Tenant, tenant.Value) & Where.Eq(record => record.Space, (int)space.Key)
                        & Where.In(record => record.Key, chunk);
                    var query = collections.Records.Find(filter);
                    await (fields is null ? query : query.Project<RecordDocument>(fields)).ForEachAsync(
                        record => found[new RecordKey(space.Key, record.Key)] = read(record), cancellation).ConfigureAwait(false);
                }
            }

            return found;
        });

    public Task<long> ReserveAsync(int shard, int count, CancellationToken cancellation) => MongoFailures.RepeatAsync(async () =>
    {
        var update = Builders<ShardDocument>.Update.Inc(head => head.Head, count)
            .SetOnInsert(head => head.Tenant, tenant.Value).SetOnInsert(head => head.Shard, shard)
            .SetOnInsert(head => head.LogId, Guid.NewGuid().ToString("N")).SetOnInsert(head => head.Displacements, 0);
        var options = new FindOneAndUpdateOptions<ShardDocument> { IsUpsert = true, ReturnDocument = ReturnDocument.After };
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var head = await collections.Shards.FindOneAndUpdateAsync<ShardDocument>(
                    shardHead => shardHead.Id == DocumentId.Of(tenant, shard), update, options, cancellation).ConfigureAwait(false);
                return head.Head - count + 1;
            }
            catch (MongoException failure) when (MongoFailures.IsDuplicate(failure) && attempt < ReserveTries)
            {
                // Another writer made the document at the same time; now it is there to be raised.
            }
        }
    });

    /// <summary>Inserting again is safe: a record that stands already is refused by its own key, and told so.</summary>
    public async Task<IReadOnlyList<InsertOutcome>> InsertAsync(
        int shard, IReadOnlyList<PositionedRecord> records, CancellationToken cancellation)
    {
        var outcomes = new InsertOutcome[records.Count];
        try
        {
            await MongoFailures.RepeatAsync(() => InsertAllAsync(shard, records, outcomes, cancellation)).ConfigureAwait(false);
        }
        catch (StoreUnavailableException)
        {
            Array.Fill(outcomes, InsertOutcome.Unknown);
        }

        return outcomes;
    }

    private async Task InsertAllAsync(
        int shard, IReadOnlyList<PositionedRecord> records, InsertOutcome[] outcomes, CancellationToken cancellation)
    {
        try
        {
            await collections.Records.InsertManyAsync(
                records.Select(record => RecordDocument.Of(tenant, shard, record)), new InsertManyOptions { IsOrdered = false },
                cancellation).ConfigureAwait(false);
        }
        catch (MongoBulkWriteException<RecordDocument> failure) when (!MongoFailures.IsRetryable(failure))
        {
            await SettleAsync(records, failure, outcomes, cancellation).ConfigureAwait(false);
        }
    }

    public Task NoteDisplacementAsync(int shard, CancellationToken cancellation) => MongoFailures.RepeatAsync(
        () => collections.Shards.UpdateOneAsync(
            head => head.Id == DocumentId.Of(tenant, shard), Builders<ShardDocument>.Update.Inc(head => head.Displacements, 1),
            cancellationToken: cancellation));

    private static ProjectionDefinition<RecordDocument> WithoutEvent => Builders<RecordDocument>.Projection
        .Exclude(record => record.Metric).Exclude(record => record.Customer).Exclude(record => record.Resource)
        .Exclude(record => record.Quantity).Exclude(record => record.Meta).Exclude(record => record.Control);

    private async Task SettleAsync(
        IReadOnlyList<PositionedRecord> records, MongoBulkWriteException<RecordDocument> failure, InsertOutcome[] outcomes,
        CancellationToken cancellation)
    {
        // Where the majority did not confirm, only a refusal is certain.
        if (failure.WriteConcernError is not null || failure.UnprocessedRequests.Count > 0)
            Array.Fill(outcomes, InsertOutcome.Unknown);
        foreach (var error in failure.WriteErrors)
        {
            outcomes[error.Index] = error.Category != ServerErrorCategory.DuplicateKey ? InsertOutcome.Unknown
                : MongoFailures.Concerns(error.Message, MongoCollections.RecordsByKey) ? InsertOutcome.KeyTaken
                : InsertOutcome.PositionTaken;
        }

        // The server names one index only: a key may be taken as well.
        var displaced = Enumerable.Range(0, outcomes.Length).Where(index => outcomes[index] == InsertOutcome.PositionTaken).ToArray();
        if (displaced.Length == 0)
            return;
        var known = await FindAsync(Array.ConvertAll(displaced, KeyAt), cancellation).ConfigureAwait(false);
        foreach (var index in displaced)
        {
            if (known.ContainsKey(KeyAt(index)))
                outcomes[index] = InsertOutcome.KeyTaken;
        }

        RecordKey KeyAt(int index) => new(records[index].Record.Space, records[index].Record.Key);
    }
}
