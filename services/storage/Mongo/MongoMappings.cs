using MongoDB.Driver;
using StripeMeter.Metering.Mappings;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Storage.Mongo.Documents;

namespace StripeMeter.Storage.Mongo;

/// <summary>The mappings of one tenant in MongoDB. What active ones may not share, unique partial indexes keep apart.</summary>
internal sealed class MongoMappings(MongoCollections collections, TenantId tenant) : IMappings
{
    private static readonly FilterDefinitionBuilder<MappingDocument> Where = Builders<MappingDocument>.Filter;

    public Task<Mapping?> GetAsync(string id, CancellationToken cancellation) => MongoFailures.RepeatAsync(async () =>
    {
        var found = await collections.Mappings.Find(Is(id)).FirstOrDefaultAsync(cancellation).ConfigureAwait(false);
        return found?.ToMapping();
    });

    public Task<IReadOnlyList<Mapping>> ListAsync(
        string? metric, bool? active, string? afterId, int limit, CancellationToken cancellation) =>
        MongoFailures.RepeatAsync<IReadOnlyList<Mapping>>(async () =>
        {
            var filter = Where.Gt(mapping => mapping.Id, DocumentId.Of(tenant, afterId ?? ""))
                & Where.Lt(mapping => mapping.Id, DocumentId.End(tenant));
            if (metric is not null)
                filter &= Where.Eq(mapping => mapping.Metric, metric);
            if (active is { } wanted)
                filter &= Where.Eq(mapping => mapping.Active, wanted);
            var found = await collections.Mappings.Find(filter).SortBy(mapping => mapping.Id).Limit(limit)
                .ToListAsync(cancellation).ConfigureAwait(false);
            return found.ConvertAll(mapping => mapping.ToMapping());
        });

    public Task<MappingWrite> CreateAsync(Mapping mapping, CancellationToken cancellation) => WriteAsync(
        mapping,
        async document =>
        {
            await collections.Mappings.InsertOneAsync(document, cancellationToken: cancellation).ConfigureAwait(false);
            return MappingWrite.Done;
        },
        cancellation);

    public Task<MappingWrite> UpdateAsync(Mapping mapping, Instant? standing, CancellationToken cancellation) => WriteAsync(
        mapping,
        async document =>
        {
            var filter = Is(mapping.Id);
            if (standing is { } updated)
                filter &= Where.Eq(stored => stored.Updated, updated.Ticks);
            var replaced = await collections.Mappings.ReplaceOneAsync(filter, document, cancellationToken: cancellation).ConfigureAwait(false);
            if (replaced.MatchedCount == 1)
                return MappingWrite.Done;
            var stands = standing is not null
                && await collections.Mappings.Find(Is(mapping.Id)).AnyAsync(cancellation).ConfigureAwait(false);
            return stands ? MappingWrite.Changed : MappingWrite.NotFound;
        },
        cancellation);

    public Task<bool> DeleteAsync(string id, CancellationToken cancellation) => MongoFailures.TranslateAsync(async () =>
    {
        var deleted = await collections.Mappings.DeleteOneAsync(Is(id), cancellation).ConfigureAwait(false);
        return deleted.DeletedCount == 1;
    });

    private FilterDefinition<MappingDocument> Is(string id) => Where.Eq(mapping => mapping.Id, DocumentId.Of(tenant, id));

    private Task<MappingWrite> WriteAsync(
        Mapping mapping, Func<MappingDocument, Task<MappingWrite>> write, CancellationToken cancellation) =>
        MongoFailures.TranslateAsync(async () =>
        {
            try
            {
                return await write(MappingDocument.Of(tenant, mapping)).ConfigureAwait(false);
            }
            catch (MongoWriteException failure) when (MongoFailures.IsDuplicate(failure))
            {
                return await ClashAsync(mapping, failure.WriteError.Message, cancellation).ConfigureAwait(false);
            }
        });

    private async Task<MappingWrite> ClashAsync(Mapping mapping, string message, CancellationToken cancellation)
    {
        if (MongoFailures.Concerns(message, MongoCollections.MappingsByMetric))
            return MappingWrite.MetricTaken;
        if (!MongoFailures.Concerns(message, MongoCollections.MappingsByMeter))
            throw new InvalidOperationException($"There is a mapping {mapping.Id} already.");
        // The server names one index only; the metric, if taken too, is the nearer reason.
        var sameMetric = Where.Eq(other => other.Tenant, tenant.Value) & Where.Eq(other => other.Metric, mapping.Metric)
            & Where.Eq(other => other.Active, true) & Where.Ne(other => other.MappingId, mapping.Id);
        return await collections.Mappings.Find(sameMetric).AnyAsync(cancellation).ConfigureAwait(false)
            ? MappingWrite.MetricTaken
            : MappingWrite.MeterTaken;
    }
}
