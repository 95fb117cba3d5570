using MongoDB.Bson;
using MongoDB.Driver;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Storage.Documents;
using StripeMeter.Storage.Mongo.Documents;

namespace StripeMeter.Storage.Mongo;

/// <summary>The delta ledger of one tenant in MongoDB: a first save inserts under a unique key, others replace by revision.</summary>
internal sealed class MongoDeltaLedger(MongoCollections collections, TenantId tenant) : IDeltaLedger
{
    private static readonly FilterDefinitionBuilder<DeltaRow> Where = Builders<DeltaRow>.Filter;
    private static readonly FilterDefinitionBuilder<ClosedIntentDocument> WhereClosed = Builders<ClosedIntentDocument>.Filter;

    private static readonly BsonDocument Order =
        new() { { "meterId", 1 }, { "stripeCustomer", 1 }, { "account", 1 }, { "livemode", 1 } };

    private FilterDefinition<DeltaRow> Mine => Where.Eq(row => row.Tenant, tenant.Value);

    public Task<DeltaDocument?> LoadAsync(DeltaKey key, CancellationToken cancellation) => MongoFailures.RepeatAsync(async () =>
    {
        var row = await collections.Deltas.Find(Is(key)).FirstOrDefaultAsync(cancellation).ConfigureAwait(false);
        return row?.ToDocument();
    });

    public Task<bool> SaveAsync(DeltaDocument document, CancellationToken cancellation) => MongoFailures.TranslateAsync(async () =>
    {
        var row = DeltaRow.Of(tenant, document);
        if (document.Revision == 0)
            return await InsertAsync(collections.Deltas, row, cancellation).ConfigureAwait(false);
        var unchanged = Is(document.Key) & Where.Eq(stored => stored.Revision, document.Revision);
        var replaced = await collections.Deltas.ReplaceOneAsync(unchanged, row, cancellationToken: cancellation).ConfigureAwait(false);
        return replaced.MatchedCount == 1;
    });

    public Task AppendHistoryAsync(DeltaKey key, PushIntent intent, CancellationToken cancellation) => MongoFailures.RepeatAsync(
        () => InsertAsync(collections.DeltaHistory, ClosedIntentDocument.Of(tenant, key, intent), cancellation));

    public Task<IReadOnlyList<PushIntent>> HistoryAsync(
        DeltaKey key, long afterClosing, int limit, CancellationToken cancellation) =>
        MongoFailures.RepeatAsync<IReadOnlyList<PushIntent>>(async () =>
        {
            var filter = WhereClosed.Eq(closed => closed.Tenant, tenant.Value) & WhereClosed.Eq(closed => closed.MeterId, key.MeterId)
                & WhereClosed.Eq(closed => closed.StripeCustomer, key.StripeCustomer)
                & WhereClosed.Eq(closed => closed.Account, key.Account) & WhereClosed.Eq(closed => closed.Livemode, key.Livemode)
                & WhereClosed.Gt(closed => closed.Closing, afterClosing);
            var found = await collections.DeltaHistory.Find(filter).SortBy(closed => closed.Closing).Limit(limit)
                .ToListAsync(cancellation).ConfigureAwait(false);
            return found.ConvertAll(closed => DeltaJson.ReadIntent(closed.Body));
        });

    public Task<PushIntent?> FindClosedAsync(string identifier, CancellationToken cancellation) => MongoFailures.RepeatAsync(async () =>
    {
        var filter = WhereClosed.Eq(closed => closed.Identifier, identifier) & WhereClosed.Eq(closed => closed.Tenant, tenant.Value);
        var last = await collections.DeltaHistory.Find(filter).SortByDescending(closed => closed.Closing).Limit(1)
            .FirstOrDefaultAsync(cancellation).ConfigureAwait(false);
        return last is null ? null : DeltaJson.ReadIntent(last.Body);
    });

    public Task<IReadOnlyList<AccountMode>> DueAccountsAsync(Instant now, int limit, CancellationToken cancellation) =>
        MongoFailures.TranslateAsync<IReadOnlyList<AccountMode>>(async () =>
        {
            PipelineDefinition<DeltaRow, BsonDocument> pipeline = new BsonDocument[]
            {
                new("$match", new BsonDocument { { "tenant", tenant.Value }, { "due", new BsonDocument("$lte", now.Ticks) } }),
                new("$group", new BsonDocument("_id", new BsonDocument { { "account", "$account" }, { "livemode", "$livemode" } })),
                new("$limit", limit),
            };
            using var cursor = await collections.Deltas.AggregateAsync(pipeline, cancellationToken: cancellation).ConfigureAwait(false);
            var found = await cursor.ToListAsync(cancellation).ConfigureAwait(false);
            return found.ConvertAll(row => new AccountMode(row["_id"]["account"].AsString, row["_id"]["livemode"].AsBoolean));
        });

    public Task<IReadOnlyList<DeltaKey>> DueAsync(
        string account, bool livemode, Instant now, int limit, CancellationToken cancellation) =>
        SelectAsync(
            Mine & Where.Eq(row => row.Account, account) & Where.Eq(row => row.Livemode, livemode) & Where.Lte(row => row.Due, now.Ticks),
            new BsonDocument("due", 1), limit, row => row.ToKey(), cancellation);

    public Task<IReadOnlyList<DeltaDocument>> ListAsync(DeltaQuery query, CancellationToken cancellation)
    {
        var filter = Mine;
        if (query.From is { } from)
            filter &= Where.Or(Is(from), Behind(from));
        if (query.Metric is not null || query.Customer is not null)
        {
            filter &= Where.ElemMatch(row => row.Counters, counter =>
                (query.Metric == null || counter.Metric == query.Metric) && (query.Customer == null || counter.Customer == query.Customer));
        }

        return SelectAsync(filter, Order, query.Limit, row => row.ToDocument(), cancellation);
    }

    /// <summary>False if the unique key is there already.</summary>
    private static async Task<bool> InsertAsync<T>(IMongoCollection<T> collection, T document, CancellationToken cancellation)
    {
        try
        {
            await collection.InsertOneAsync(document, cancellationToken: cancellation).ConfigureAwait(false);
            return true;
        }
        catch (MongoWriteException failure) when (MongoFailures.IsDuplicate(failure))
        {
            return false;
        }
    }

    private Task<IReadOnlyList<T>> SelectAsync<T>(
        FilterDefinition<DeltaRow> filter, BsonDocument order, int limit, Converter<DeltaRow, T> read, CancellationToken cancellation) =>
        MongoFailures.RepeatAsync<IReadOnlyList<T>>(async () =>
        {
            var found = await collections.Deltas.Find(filter).Sort(order).Limit(limit).ToListAsync(cancellation).ConfigureAwait(false);
            return found.ConvertAll(read);
        });

    private FilterDefinition<DeltaRow> Is(DeltaKey key) => Mine & Where.Eq(row => row.MeterId, key.MeterId)
        & Where.Eq(row => row.StripeCustomer, key.StripeCustomer) & Where.Eq(row => row.Account, key.Account)
        & Where.Eq(row => row.Livemode, key.Livemode);

    private static BsonDocument Behind(DeltaKey key) => TupleFilter.Behind(
        ascending: true, ("meterId", key.MeterId), ("stripeCustomer", key.StripeCustomer), ("account", key.Account), ("livemode", key.Livemode));
}
