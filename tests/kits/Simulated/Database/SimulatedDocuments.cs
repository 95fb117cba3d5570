using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Text;

namespace StripeMeter.Kits.Simulated.Database;

/// <summary>What operators keep of one tenant, as one process reads and writes it.</summary>
internal sealed class SimulatedDocuments(SimulatedDatabase database, TenantId tenant, SimulatedProcess process) : IDocuments
{
    public Task<StoredDocument?> GetAsync(DocumentKind kind, string id, CancellationToken cancellation) =>
        database.ReadAsync<StoredDocument?>(
            process, tenant, state => state.Documents.TryGetValue((kind, id), out var stored) ? stored : null);

    public Task<IReadOnlyList<StoredDocument>> ListAsync(DocumentQuery query, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyList<StoredDocument>>(process, tenant, state =>
        {
            var found = Of(state, query.Kind, query.Prefix);
            if (query.Descending)
                found = found.Reverse();
            var sign = query.Descending ? -1 : 1;
            return [.. found.SkipWhile(document => query.After is { } after && sign * Compare(document.Id, after) <= 0).Take(query.Limit)];
        });

    public Task<long> CountAsync(DocumentKind kind, string prefix, CancellationToken cancellation) =>
        database.ReadAsync(process, tenant, state => Of(state, kind, prefix).LongCount());

    public Task<IReadOnlyList<bool>> WriteAsync(
        DocumentKind kind, IReadOnlyList<StoredDocument> documents, CancellationToken cancellation) =>
        documents.Count > 1 && database.Network.Dice.Strikes(Fault.WriteTorn)
            ? database.TearAsync(documents, some => WriteAllAsync(kind, some))
            : WriteAllAsync(kind, documents);

    public Task<int> DeleteAsync(DocumentKind kind, string prefix, int limit, CancellationToken cancellation) =>
        database.WriteAsync(process, () => Delete(kind, [.. Of(database.PrimaryOf(tenant), kind, prefix).Take(limit)]));

    public Task TrimAsync(DocumentKind kind, int keep, CancellationToken cancellation) =>
        database.WriteAsync(process, () => Delete(kind, [.. Of(database.PrimaryOf(tenant), kind, "").SkipLast(keep)]));

    private Task<IReadOnlyList<bool>> WriteAllAsync(DocumentKind kind, IReadOnlyList<StoredDocument> documents) =>
        database.WriteAsync<IReadOnlyList<bool>>(process, () => [.. documents.Select(document => Write(kind, document))]);

    private bool Write(DocumentKind kind, StoredDocument document)
    {
        var stored = database.PrimaryOf(tenant).Documents.GetValueOrDefault((kind, document.Id));
        if (stored.Revision != document.Revision)
            return false;
        database.Apply(tenant, state => state.Documents[(kind, document.Id)] = document with { Revision = document.Revision + 1 });
        return true;
    }

    private int Delete(DocumentKind kind, List<StoredDocument> documents)
    {
        foreach (var document in documents)
            database.Apply(tenant, state => state.Documents.Remove((kind, document.Id)));
        return documents.Count;
    }

    private static IEnumerable<StoredDocument> Of(TenantState state, DocumentKind kind, string prefix) =>
        state.Documents.Where(stored => stored.Key.Kind == kind && stored.Key.Id.StartsWith(prefix, StringComparison.Ordinal))
            .Select(stored => stored.Value).OrderBy(document => document.Id, CodePointOrder.Instance);

    private static int Compare(string left, string right) => CodePointOrder.Instance.Compare(left, right);
}
