using System.Text.Json;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.DeadLetters;

/// <summary>The dead letters of one tenant. One that comes again and again within an hour stands once; none is ever dropped.</summary>
/// <param name="documents">Where they are kept.</param>
/// <param name="maximumKept">How many are kept; further ones are not taken.</param>
public sealed class DeadLetterList(IDocuments documents, int maximumKept)
{
    public static DeadLetter Of(DeadLetterFormat format, string content, string field, string reason, Instant now) =>
        new(HourlyId.Of(now, content), format, content, field, reason, now.Ticks);

    /// <summary>Keeps letters. False: the list is full, and nothing was kept.</summary>
    public async Task<bool> AddAsync(IReadOnlyCollection<DeadLetter> letters, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(letters);
        var kept = await documents.CountAsync(DocumentKind.DeadLetter, "", cancellation).ConfigureAwait(false);
        if (kept + letters.Count > maximumKept)
            return false;
        var writes = letters.DistinctBy(letter => letter.Id)
            .Select(letter => new StoredDocument(letter.Id, JsonSerializer.Serialize(letter), 0)).ToArray();
        await documents.WriteAsync(DocumentKind.DeadLetter, writes, cancellation).ConfigureAwait(false);
        return true;
    }

    /// <summary>Newest hour first, behind an id.</summary>
    public async Task<IReadOnlyList<DeadLetter>> ListAsync(string? afterId, int limit, CancellationToken cancellation)
    {
        var query = new DocumentQuery(DocumentKind.DeadLetter) { After = afterId, Descending = true, Limit = limit };
        var found = await documents.ListAsync(query, cancellation).ConfigureAwait(false);
        return [.. found.Select(Read)];
    }

    public async Task<DeadLetter?> FindAsync(string id, CancellationToken cancellation) =>
        await documents.GetAsync(DocumentKind.DeadLetter, id, cancellation).ConfigureAwait(false) is { } found ? Read(found) : null;

    /// <summary>Forgets a letter. False if there is none.</summary>
    public async Task<bool> RemoveAsync(DeadLetter letter, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(letter);
        // All ids have one length, so no other begins with this one.
        return await documents.DeleteAsync(DocumentKind.DeadLetter, letter.Id, 1, cancellation).ConfigureAwait(false) > 0;
    }

    private static DeadLetter Read(StoredDocument document) => JsonSerializer.Deserialize<DeadLetter>(document.Body)!;
}
