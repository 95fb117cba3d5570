using MongoDB.Bson;

namespace StripeMeter.Storage.Mongo;

/// <summary>Compares several fields as one, which MongoDB has no operator for.</summary>
internal static class TupleFilter
{
    /// <summary>Selects what stands behind the given values in the order of the fields: ascending, all greater; else, all less.</summary>
    public static BsonDocument Behind(bool ascending, params (string Field, BsonValue Value)[] place)
    {
        var beyond = ascending ? "$gt" : "$lt";
        var cases = place.Select((step, index) => new BsonDocument(place[..index]
            .Select(same => new BsonElement(same.Field, same.Value))
            .Append(new BsonElement(step.Field, new BsonDocument(beyond, step.Value)))));
        return new BsonDocument("$or", new BsonArray(cases));
    }
}
