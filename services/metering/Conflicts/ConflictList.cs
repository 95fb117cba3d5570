using System.Text.Json;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Conflicts;

/// <summary>The conflicts of one tenant, the newest of them kept. One that is sent again and again within an hour stands once.</summary>
public sealed class ConflictList(IDocuments documents)
{
    /// <summary>Conflicts kept of a tenant.</summary>
    public const int MaximumKept = 10_000;

    /// <summary>Makes the conflict of an event with what stands under its key; null for what could not be read.</summary>
    public static EventConflict Of(
        string key, UsageEvent sent, Fingerprint fingerprint, Ledger.LedgerEntry? standing, Instant now)
    {
        ArgumentNullException.ThrowIfNull(sent);
        return new EventConflict(
            HourlyId.Of(now, $"{key}|{fingerprint}"), key, sent.Metric, sent.Customer,
            standing?.Record.Event is { } stands ? EventDifference.Between(sent, stands) : [],
            standing?.Shard ?? -1, standing?.Position ?? 0, now.Ticks);
    }

    /// <summary>Keeps conflicts, and drops the oldest of too many.</summary>
    public async Task AddAsync(IReadOnlyCollection<EventConflict> conflicts, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(conflicts);
        var writes = conflicts.DistinctBy(conflict => conflict.Id)
            .Select(conflict => new StoredDocument(conflict.Id, JsonSerializer.Serialize(conflict), 0)).ToArray();
        var written = await documents.WriteAsync(DocumentKind.Conflict, writes, cancellation).ConfigureAwait(false);
        if (written.Any(isNew => isNew))
            await documents.TrimAsync(DocumentKind.Conflict, MaximumKept, cancellation).ConfigureAwait(false);
    }

    /// <summary>Newest hour first, behind an id.</summary>
    public async Task<IReadOnlyList<EventConflict>> ListAsync(string? afterId, int limit, CancellationToken cancellation)
    {
        var query = new DocumentQuery(DocumentKind.Conflict) { After = afterId, Descending = true, Limit = limit };
        var found = await documents.ListAsync(query, cancellation).ConfigureAwait(false);
        return [.. found.Select(document => JsonSerializer.Deserialize<EventConflict>(document.Body)!)];
    }
}
