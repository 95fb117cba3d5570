using System.Globalization;
using MongoDB.Driver;
using StripeMeter.Metering.Documents;
using StripeMeter.Storage.Mongo.Documents;

namespace StripeMeter.Storage.Mongo;

/// <summary>
/// The documents of one tenant in MongoDB, or those of the installation: a first write inserts under a unique id, others
/// replace by revision.
/// </summary>
/// <param name="collections">The database.</param>
/// <param name="owner">The tenant; empty, which is no tenant's name, for the installation.</param>
internal sealed class MongoDocuments(MongoCollections collections, string owner) : IDocuments
{
    private const int ConcurrentWrites = 16;
    private const string Last = "\U0010FFFF";
    private static readonly FilterDefinitionBuilder<KeptDocument> Where = Builders<KeptDocument>.Filter;

    public Task<StoredDocument?> GetAsync(DocumentKind kind, string id, CancellationToken cancellation) =>
        MongoFailures.RepeatAsync<StoredDocument?>(async () =>
        {
            var found = await collections.Documents.Find(Where.Eq(document => document.Id, IdOf(kind, id)))
                .FirstOrDefaultAsync(cancellation).ConfigureAwait(false);
            return found is null ? null : ToStored(found);
        });

    public Task<IReadOnlyList<StoredDocument>> ListAsync(DocumentQuery query, CancellationToken cancellation) =>
        MongoFailures.RepeatAsync<IReadOnlyList<StoredDocument>>(async () =>
        {
            var filter = In(query.Kind, query.Prefix);
            if (query.After is { } after)
                filter &= query.Descending ? Where.Lt(document => document.Name, after) : Where.Gt(document => document.Name, after);
            var order = query.Descending
                ? Builders<KeptDocument>.Sort.Descending(document => document.Name)
                : Builders<KeptDocument>.Sort.Ascending(document => document.Name);
            var found = await collections.Documents.Find(filter).Sort(order).Limit(query.Limit).ToListAsync(cancellation)
                .ConfigureAwait(false);
            return found.ConvertAll(ToStored);
        });

    public Task<long> CountAsync(DocumentKind kind, string prefix, CancellationToken cancellation) => MongoFailures.RepeatAsync(
        () => collections.Documents.CountDocumentsAsync(In(kind, prefix), cancellationToken: cancellation));

    public async Task<IReadOnlyList<bool>> WriteAsync(
        DocumentKind kind, IReadOnlyList<StoredDocument> documents, CancellationToken cancellation)
    {
        var written = new bool[documents.Count];
        await Parallel.ForAsync(
            0, documents.Count, new ParallelOptions { MaxDegreeOfParallelism = ConcurrentWrites, CancellationToken = cancellation },
            async (index, stop) => written[index] = await WriteAsync(kind, documents[index], stop).ConfigureAwait(false))
            .ConfigureAwait(false);
        return written;
    }

    public Task<int> DeleteAsync(DocumentKind kind, string prefix, int limit, CancellationToken cancellation) =>
        MongoFailures.TranslateAsync(async () =>
        {
            var ids = await collections.Documents.Find(In(kind, prefix)).SortBy(document => document.Name).Limit(limit)
                .Project(document => document.Id).ToListAsync(cancellation).ConfigureAwait(false);
            var deleted = await collections.Documents.DeleteManyAsync(Where.In(document => document.Id, ids), cancellation).ConfigureAwait(false);
            return (int)deleted.DeletedCount;
        });

    public Task TrimAsync(DocumentKind kind, int keep, CancellationToken cancellation) => MongoFailures.RepeatAsync(async () =>
    {
        var all = In(kind, "");
        var oldest = await collections.Documents.Find(all).SortByDescending(document => document.Name).Skip(keep).Limit(1)
            .FirstOrDefaultAsync(cancellation).ConfigureAwait(false);
        if (oldest is not null)
            await collections.Documents.DeleteManyAsync(all & Where.Lte(document => document.Name, oldest.Name), cancellation).ConfigureAwait(false);
    });

    private Task<bool> WriteAsync(DocumentKind kind, StoredDocument document, CancellationToken cancellation) =>
        MongoFailures.TranslateAsync(async () =>
        {
            var kept = new KeptDocument
            {
                Id = IdOf(kind, document.Id), Kind = (int)kind, Tenant = owner, Name = document.Id,
                Revision = document.Revision + 1, Body = document.Body,
            };
            if (document.Revision > 0)
            {
                var unchanged = Where.Eq(stored => stored.Id, kept.Id) & Where.Eq(stored => stored.Revision, document.Revision);
                var replaced = await collections.Documents.ReplaceOneAsync(unchanged, kept, cancellationToken: cancellation).ConfigureAwait(false);
                return replaced.MatchedCount == 1;
            }

            try
            {
                await collections.Documents.InsertOneAsync(kept, cancellationToken: cancellation).ConfigureAwait(false);
                return true;
            }
            catch (MongoWriteException failure) when (MongoFailures.IsDuplicate(failure))
            {
                return false;
            }
        });

    private FilterDefinition<KeptDocument> In(DocumentKind kind, string prefix) =>
        Where.Eq(document => document.Kind, (int)kind) & Where.Eq(document => document.Tenant, owner)
        & Where.Gte(document => document.Name, prefix) & Where.Lt(document => document.Name, prefix + Last);

    private string IdOf(DocumentKind kind, string id) =>
        DocumentId.Of(owner, $"{((int)kind).ToString(CultureInfo.InvariantCulture)}/{id}");

    private static StoredDocument ToStored(KeptDocument document) => new(document.Name, document.Body, document.Revision);
}
