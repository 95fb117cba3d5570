using MongoDB.Bson;
using MongoDB.Driver;
using StripeMeter.Metering.Ledger;
using StripeMeter.Storage.Mongo.Documents;

namespace StripeMeter.Storage.Mongo;

/// <summary>The collections, with what every read and write of them asks for, and their indexes.</summary>
internal sealed class MongoCollections
{
    public const string RecordsByKey = "records_by_key";
    public const string MappingsByMetric = "mappings_by_metric";
    public const string MappingsByMeter = "mappings_by_meter";

    // A majority that cannot be had soon is an answer too: that nothing is known.
    private static readonly TimeSpan MajorityTimeout = TimeSpan.FromSeconds(10);

    private readonly IMongoDatabase _database;

    public MongoCollections(IMongoDatabase database)
    {
        DocumentConventions.Register();
        _database = database.WithReadConcern(ReadConcern.Majority).WithReadPreference(ReadPreference.Primary)
            .WithWriteConcern(WriteConcern.WMajority.With(journal: true, wTimeout: MajorityTimeout));
    }

    public IMongoCollection<TenantDocument> Tenants => _database.GetCollection<TenantDocument>("tenants");

    public IMongoCollection<ShardDocument> Shards => _database.GetCollection<ShardDocument>("shards");

    public IMongoCollection<RecordDocument> Records => _database.GetCollection<RecordDocument>("records");

    public IMongoCollection<CounterDocument> Counters => _database.GetCollection<CounterDocument>("counters");

    public IMongoCollection<ProgressDocument> Progress => _database.GetCollection<ProgressDocument>("progress");

    public IMongoCollection<RecountDocument> Recounts => _database.GetCollection<RecountDocument>("recounts");

    public IMongoCollection<MappingDocument> Mappings => _database.GetCollection<MappingDocument>("mappings");

    public IMongoCollection<DeltaRow> Deltas => _database.GetCollection<DeltaRow>("deltas");

    public IMongoCollection<ClosedIntentDocument> DeltaHistory => _database.GetCollection<ClosedIntentDocument>("deltaHistory");

    public IMongoCollection<KeptDocument> Documents => _database.GetCollection<KeptDocument>("documents");

    private IMongoCollection<BsonDocument> Checks => _database.GetCollection<BsonDocument>("checks");

    /// <summary>Creates the indexes that are missing. One that is there with other keys is an error.</summary>
    public Task PrepareAsync(CancellationToken cancellation) => MongoFailures.RepeatAsync(async () =>
    {
        await Records.Indexes.CreateManyAsync(
            [
                Index<RecordDocument>(RecordsByKey, unique: true, null, "tenant", "space", "key"),
                Index<RecordDocument>("records_by_series", unique: false, null, "tenant", "customer", "metric", "timestamp", "shard", "position"),
                Index<RecordDocument>("records_by_time", unique: false, null, "tenant", "timestamp", "shard", "position"),
                Index<RecordDocument>("records_by_session", unique: false, Exists("session"), "tenant", "session", "customer", "metric"),
                Index<RecordDocument>("records_of_control", unique: false, Exists("control"), "tenant", "shard", "kind", "position"),
            ],
            cancellation).ConfigureAwait(false);
        await Counters.Indexes.CreateManyAsync(
            [
                Index<CounterDocument>("counters_by_key", unique: true, null, "tenant", "metric", "customer", "periodStart"),
                Index<CounterDocument>("counters_by_customer", unique: false, null, "tenant", "customer", "metric", "periodStart"),
                Index<CounterDocument>("counters_dirty", unique: false, Exists("dirtySince"), "tenant", "dirtySince"),
            ],
            cancellation).ConfigureAwait(false);
        await Recounts.Indexes.CreateManyAsync(
            [Index<RecountDocument>("recounts_by_shard", unique: false, null, "tenant", "shard", "recut")], cancellation)
            .ConfigureAwait(false);
        await Mappings.Indexes.CreateManyAsync(
            [
                Index<MappingDocument>(MappingsByMetric, unique: true, new BsonDocument("active", true), "tenant", "metric"),
                Index<MappingDocument>(MappingsByMeter, unique: true, new BsonDocument("active", true), "stripeAccount", "meterId"),
            ],
            cancellation).ConfigureAwait(false);
        await Deltas.Indexes.CreateManyAsync(
            [
                Index<DeltaRow>("deltas_by_key", unique: true, null, "tenant", "meterId", "stripeCustomer", "account", "livemode"),
                Index<DeltaRow>("deltas_by_counter", unique: false, null, "tenant", "counters.customer", "counters.metric"),
                Index<DeltaRow>("deltas_due", unique: false, Exists("due"), "tenant", "account", "livemode", "due"),
                Index<DeltaRow>("deltas_behind", unique: false, Exists("behindSince"), "behindSince"),
                Index<DeltaRow>("deltas_by_open_intent", unique: false, Exists("openIntent"), "openIntent"),
                Index<DeltaRow>("deltas_by_customer", unique: false, null, "stripeCustomer", "account", "livemode"),
            ],
            cancellation).ConfigureAwait(false);
        await Documents.Indexes.CreateManyAsync(
            [Index<KeptDocument>("documents_by_name", unique: true, null, "kind", "tenant", "name")], cancellation).ConfigureAwait(false);
        await DeltaHistory.Indexes.CreateManyAsync(
            [
                Index<ClosedIntentDocument>(
                    "deltaHistory_by_key", unique: false, null, "tenant", "meterId", "stripeCustomer", "account", "livemode", "closing"),
                Index<ClosedIntentDocument>("deltaHistory_by_identifier", unique: false, null, "identifier", "tenant", "closing"),
            ],
            cancellation).ConfigureAwait(false);
    });

    /// <summary>Writes to a majority and reads from it.</summary>
    /// <exception cref="StoreUnavailableException">One of both cannot be done now.</exception>
    public Task CheckAsync(CancellationToken cancellation) => MongoFailures.RepeatAsync(async () =>
    {
        var filter = new BsonDocument("_id", "ready");
        var update = new BsonDocument("$inc", new BsonDocument("checks", 1));
        await Checks.UpdateOneAsync(filter, update, new UpdateOptions { IsUpsert = true }, cancellation).ConfigureAwait(false);
        await Checks.Find(filter).FirstAsync(cancellation).ConfigureAwait(false);
    });

    private static BsonDocument Exists(string field) => new(field, new BsonDocument("$exists", true));

    private static CreateIndexModel<T> Index<T>(string name, bool unique, BsonDocument? where, params string[] fields) => new(
        new BsonDocument(fields.Select(field => new BsonElement(field, 1))),
        new CreateIndexOptions<T> { Name = name, Unique = unique ? true : null, PartialFilterExpression = where });
}
