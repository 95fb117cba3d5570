using MongoDB.Bson;
using MongoDB.Driver;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Storage.Mongo.Documents;

namespace StripeMeter.Storage.Mongo;

/// <summary>Finds work across tenants.</summary>
internal sealed class MongoWorkFinder(MongoCollections collections) : IWorkFinder
{
    public Task<IReadOnlyList<ShardWork>> HeadsAsync(ShardId? after, int limit, CancellationToken cancellation) =>
        MongoFailures.RepeatAsync<IReadOnlyList<ShardWork>>(async () =>
        {
            var behind = Builders<ShardDocument>.Filter.Gt(shard => shard.Id, after is { } start ? DocumentId.Of(start) : "");
            var shards = await collections.Shards.Find(behind).SortBy(shard => shard.Id).Limit(limit)
                .ToListAsync(cancellation).ConfigureAwait(false);
            var theirs = Builders<ProgressDocument>.Filter.In(progress => progress.Id, shards.Select(shard => shard.Id));
            var found = await collections.Progress.Find(theirs).ToListAsync(cancellation).ConfigureAwait(false);
            var progress = found.ToDictionary(document => document.Id, document => document.ToProgress());
            return shards.ConvertAll(shard => new ShardWork(
                shard.ToShard(), shard.ToHead(), progress.GetValueOrDefault(shard.Id, ShardProgress.None)));
        });

    public Task<IReadOnlyList<ShardId>> ShardsToRecountAsync(ShardId? after, int limit, CancellationToken cancellation) =>
        MongoFailures.RepeatAsync<IReadOnlyList<ShardId>>(async () =>
        {
            var behind = after is { } start
                ? TupleFilter.Behind(ascending: true, ("tenant", start.Tenant.Value), ("shard", start.Shard))
                : [];
            PipelineDefinition<RecountDocument, BsonDocument> pipeline = new BsonDocument[]
            {
                new("$match", behind),
                new("$group", new BsonDocument("_id", new BsonDocument { { "tenant", "$tenant" }, { "shard", "$shard" } })),
                new("$sort", new BsonDocument { { "_id.tenant", 1 }, { "_id.shard", 1 } }),
                new("$limit", limit),
            };
            using var cursor = await collections.Recounts.AggregateAsync(pipeline, cancellationToken: cancellation).ConfigureAwait(false);
            var shards = await cursor.ToListAsync(cancellation).ConfigureAwait(false);
            return shards.ConvertAll(shard => new ShardId(
                new TenantId(shard["_id"]["tenant"].AsString), shard["_id"]["shard"].ToInt32()));
        });

    public Task<IReadOnlyList<TenantId>> TenantsWithDirtyCountersAsync(
        TenantId? after, int limit, CancellationToken cancellation) =>
        TenantsAsync(collections.Counters, new BsonElement("dirtySince", new BsonDocument("$exists", true)), after, limit, cancellation);

    public Task<IReadOnlyList<TenantId>> TenantsWithMappingsAsync(
        TenantId? after, int limit, CancellationToken cancellation) =>
        TenantsAsync(collections.Mappings, new BsonElement("active", true), after, limit, cancellation);

    public Task<TenantId?> TenantOfMeterAsync(string stripeAccount, string meterId, CancellationToken cancellation) =>
        MongoFailures.TranslateAsync<TenantId?>(async () =>
        {
            var where = Builders<MappingDocument>.Filter;
            var feeding = where.Eq(mapping => mapping.Active, true) & where.Eq(mapping => mapping.StripeAccount, stripeAccount)
                & where.Eq(mapping => mapping.MeterId, meterId);
            var found = await collections.Mappings.Find(feeding).FirstOrDefaultAsync(cancellation).ConfigureAwait(false);
            return found is null ? null : new TenantId(found.Tenant);
        });

    public Task<IReadOnlyList<TenantId>> TenantsWithDueDeltasAsync(
        Instant now, TenantId? after, int limit, CancellationToken cancellation) =>
        TenantsAsync(collections.Deltas, new BsonElement("due", new BsonDocument("$lte", now.Ticks)), after, limit, cancellation);

    public Task<IReadOnlyList<TenantId>> TenantsWithDocumentsAsync(
        DocumentKind kind, TenantId? after, int limit, CancellationToken cancellation) =>
        TenantsAsync(collections.Documents, new BsonElement("kind", (int)kind), after, limit, cancellation);

    public Task<DeltaBacklog> DeltaBacklogAsync(CancellationToken cancellation) => MongoFailures.RepeatAsync(async () =>
    {
        PipelineDefinition<DeltaRow, BsonDocument> pipeline = new BsonDocument[]
        {
            new("$match", new BsonDocument("behindSince", new BsonDocument("$exists", true))),
            new("$group", new BsonDocument
            {
                { "_id", BsonNull.Value }, { "documents", new BsonDocument("$sum", 1) }, { "oldest", new BsonDocument("$min", "$behindSince") },
                { "ambiguous", new BsonDocument("$sum", "$ambiguous") }, { "parked", new BsonDocument("$sum", "$parked") },
            }),
        };
        using var cursor = await collections.Deltas.AggregateAsync(pipeline, cancellationToken: cancellation).ConfigureAwait(false);
        return await cursor.FirstOrDefaultAsync(cancellation).ConfigureAwait(false) is { } found && found["oldest"].IsInt64
            ? new DeltaBacklog(
                found["documents"].ToInt64(), new Instant(found["oldest"].ToInt64()), found["ambiguous"].ToInt64(), found["parked"].ToInt64())
            : default;
    });

    public Task<DeltaPlace?> PlaceOfIntentAsync(string identifier, CancellationToken cancellation) =>
        MongoFailures.RepeatAsync<DeltaPlace?>(async () =>
        {
            var open = Builders<DeltaRow>.Filter.Eq(row => row.OpenIntent, identifier);
            if (await collections.Deltas.Find(open).FirstOrDefaultAsync(cancellation).ConfigureAwait(false) is { } row)
                return row.ToPlace();
            var closed = Builders<ClosedIntentDocument>.Filter.Eq(intent => intent.Identifier, identifier);
            var found = await collections.DeltaHistory.Find(closed).FirstOrDefaultAsync(cancellation).ConfigureAwait(false);
            return found?.ToPlace();
        });

    public Task<IReadOnlyList<DeltaPlace>> PlacesOfCustomerAsync(
        string account, bool livemode, string stripeCustomer, int limit, CancellationToken cancellation) =>
        MongoFailures.RepeatAsync<IReadOnlyList<DeltaPlace>>(async () =>
        {
            var where = Builders<DeltaRow>.Filter;
            var theirs = where.Eq(row => row.StripeCustomer, stripeCustomer) & where.Eq(row => row.Account, account)
                & where.Eq(row => row.Livemode, livemode);
            var found = await collections.Deltas.Find(theirs).Limit(limit).ToListAsync(cancellation).ConfigureAwait(false);
            return found.ConvertAll(row => row.ToPlace());
        });

    private static Task<IReadOnlyList<TenantId>> TenantsAsync<T>(
        IMongoCollection<T> collection, BsonElement condition, TenantId? after, int limit, CancellationToken cancellation) =>
        MongoFailures.RepeatAsync<IReadOnlyList<TenantId>>(async () =>
        {
            PipelineDefinition<T, BsonDocument> pipeline = new BsonDocument[]
            {
                new("$match", new BsonDocument { new BsonElement("tenant", new BsonDocument("$gt", after?.Value ?? "")), condition }),
                new("$group", new BsonDocument("_id", "$tenant")),
                new("$sort", new BsonDocument("_id", 1)),
                new("$limit", limit),
            };
            using var cursor = await collection.AggregateAsync(pipeline, cancellationToken: cancellation).ConfigureAwait(false);
            var tenants = await cursor.ToListAsync(cancellation).ConfigureAwait(false);
            return tenants.ConvertAll(tenant => new TenantId(tenant["_id"].AsString));
        });
}
