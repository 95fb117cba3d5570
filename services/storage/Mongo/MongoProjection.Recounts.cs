using MongoDB.Bson;
using MongoDB.Driver;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Storage.Mongo.Documents;

namespace StripeMeter.Storage.Mongo;

/// <content>What is to be counted anew.</content>
internal sealed partial class MongoProjection
{
    public Task AddRecountsAsync(int shard, IReadOnlyCollection<RecountItem> items, CancellationToken cancellation) =>
        MongoFailures.RepeatAsync(async () =>
        {
            if (items.Count == 0)
                return;
            try
            {
                await collections.Recounts.BulkWriteAsync(items.Select(item => Add(shard, item)), Unordered, cancellation)
                    .ConfigureAwait(false);
            }
            catch (MongoBulkWriteException<RecountDocument> failure) when (failure.WriteConcernError is null
                && failure.WriteErrors.All(error => error.Category == ServerErrorCategory.DuplicateKey))
            {
                throw new StoreUnavailableException("The same work item was added at the same time.", failure);
            }
        });

    public Task<IReadOnlyList<RecountItem>> RecountsAsync(int shard, int limit, CancellationToken cancellation) =>
        MongoFailures.RepeatAsync<IReadOnlyList<RecountItem>>(async () =>
        {
            var found = await collections.Recounts.Find(item => item.Tenant == tenant.Value && item.Shard == shard)
                .SortBy(item => item.Recut).Limit(limit).ToListAsync(cancellation).ConfigureAwait(false);
            return found.ConvertAll(item => item.ToItem());
        });

    public Task CloseRecountAsync(int shard, RecountItem item, CancellationToken cancellation) => MongoFailures.RepeatAsync(
        () => collections.Recounts.DeleteOneAsync(
            stored => stored.Id == RecountDocument.IdOf(tenant, shard, item) && stored.Recut == item.Recut, cancellation));

    private UpdateOneModel<RecountDocument> Add(int shard, RecountItem item)
    {
        var values = RecountDocument.Of(tenant, shard, item).ToBsonDocument();
        values.Remove("_id");
        values.Remove("recut");
        var update = new BsonDocument { { "$setOnInsert", values }, { "$max", new BsonDocument("recut", item.Recut) } };
        return new UpdateOneModel<RecountDocument>(
            Builders<RecountDocument>.Filter.Eq(stored => stored.Id, RecountDocument.IdOf(tenant, shard, item)), update)
        {
            IsUpsert = true,
        };
    }
}
