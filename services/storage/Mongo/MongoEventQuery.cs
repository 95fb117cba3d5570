using System.Globalization;
using MongoDB.Bson;
using MongoDB.Driver;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;
using StripeMeter.Storage.Mongo.Documents;

namespace StripeMeter.Storage.Mongo;

/// <summary>Writes an <see cref="EventQuery"/> as filter and sort.</summary>
internal static class MongoEventQuery
{
    private static readonly FilterDefinitionBuilder<RecordDocument> Where = Builders<RecordDocument>.Filter;

    public static FilterDefinition<RecordDocument> Filter(TenantId tenant, EventQuery whole, bool withCursor)
    {
        var query = withCursor ? whole.FromCursor() : whole;
        var filter = Where.Eq(record => record.Tenant, tenant.Value)
            & (query.Controls ? Where.Exists(record => record.Customer) : Where.Eq(record => record.Kind, (int)RecordKind.Event))
            & Where.Gte(record => record.Timestamp, query.From.Ticks) & Where.Lte(record => record.Timestamp, query.To.Ticks);
        if (query.Metric is not null)
            filter &= Where.Eq(record => record.Metric, query.Metric);
        if (query.Customer is not null)
            filter &= Where.Eq(record => record.Customer, query.Customer);
        if (query.Source is { } source)
            filter &= Where.Eq(record => record.Source, (int)source);
        if (query.Late is { } late)
            filter &= Where.Eq(record => record.Late, late);
        if (query.Session is not null)
            filter &= Where.Eq(record => record.Session, query.Session);
        if (query.UpTo < long.MaxValue)
            filter &= Where.Lte(record => record.Position, query.UpTo);
        if (withCursor && query.After is { } after)
            filter &= Behind(after, query);
        return filter;
    }

    public static BsonDocument Sort(EventQuery query) =>
        new(SortFields(query.Order).Select(field => new BsonElement(field, query.Ascending ? 1 : -1)));

    private static BsonDocument Behind(EventCursor after, EventQuery query)
    {
        var fields = SortFields(query.Order);
        BsonValue value = query.Order is EventOrder.Source
            ? int.Parse(after.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture)
            : after.Value;
        BsonValue[] values = [value, after.Timestamp.Ticks, after.Shard, after.Position];
        return TupleFilter.Behind(query.Ascending, [.. fields.Zip(values[^fields.Length..])]);
    }

    private static string[] SortFields(EventOrder order) => order switch
    {
        EventOrder.Metric => ["metric", "timestamp", "shard", "position"],
        EventOrder.Customer => ["customer", "timestamp", "shard", "position"],
        EventOrder.Source => ["source", "timestamp", "shard", "position"],
        _ => ["timestamp", "shard", "position"],
    };
}
