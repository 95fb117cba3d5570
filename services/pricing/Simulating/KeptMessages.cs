using Google.Protobuf;
using StripeMeter.Metering.Documents;

namespace StripeMeter.Pricing.Simulating;

/// <summary>
/// Messages as documents: protobuf's JSON, which has every integer and decimal digit for digit. Fields that a newer
/// version wrote are passed over.
/// </summary>
internal static class KeptMessages
{
    private static readonly JsonParser Parser = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    public static StoredDocument Write(string id, IMessage message, long revision) =>
        new(id, JsonFormatter.Default.Format(message), revision);

    public static T Read<T>(StoredDocument document) where T : IMessage, new() => Parser.Parse<T>(document.Body);

    /// <summary>All documents of a kind, read page by page.</summary>
    public static async IAsyncEnumerable<T> ReadAllAsync<T>(
        IDocuments documents, DocumentQuery query, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
        where T : IMessage, new()
    {
        IReadOnlyList<StoredDocument> page;
        do
        {
            page = await documents.ListAsync(query, cancellation).ConfigureAwait(false);
            foreach (var document in page)
                yield return Read<T>(document);
            query = query with { After = page.Count > 0 ? page[^1].Id : query.After };
        }
        while (page.Count == query.Limit);
    }
}
