using System.Globalization;
using System.Text.Json;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Metering.AuditLog;

/// <summary>
/// The audit log of one tenant: entries are added and never changed. Each carries the hash of the one before it, so that a
/// change or a gap shows.
/// </summary>
public sealed class AuditTrail(IDocuments documents)
{
    private const int Attempts = 20;
    private const string Padding = "D19";

    /// <summary>Adds an entry behind the last one; the sequence it carries is not looked at. Returns the one it was given.</summary>
    /// <exception cref="StoreUnavailableException">It is not known to be written.</exception>
    public async Task<long> AppendAsync(AuditEntry entry, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(entry);
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var last = await ListAsync(after: null, descending: true, 1, cancellation).ConfigureAwait(false);
            var (sequence, hash) = last.Count == 0 ? (1, ChainedEntry.Origin) : (last[0].ToEntry().Sequence + 1, last[0].Hash);
            var next = ChainedEntry.After(hash, entry with { Sequence = sequence });
            var document = new StoredDocument(IdOf(sequence), JsonSerializer.Serialize(next), 0);
            var written = await documents.WriteAsync(DocumentKind.AuditEntry, [document], cancellation).ConfigureAwait(false);
            if (written[0])
                return sequence;
        }

        throw new StoreUnavailableException("The audit log is written by others all the time.");
    }

    /// <summary>Entries in order, behind a sequence number in the direction of the listing; null: from that end.</summary>
    public async Task<IReadOnlyList<ChainedEntry>> ListAsync(long? after, bool descending, int limit, CancellationToken cancellation)
    {
        var query = new DocumentQuery(DocumentKind.AuditEntry)
        {
            After = after is { } sequence ? IdOf(sequence) : null, Descending = descending, Limit = limit,
        };
        var found = await documents.ListAsync(query, cancellation).ConfigureAwait(false);
        return [.. found.Select(document => JsonSerializer.Deserialize<ChainedEntry>(document.Body)!)];
    }

    private static string IdOf(long sequence) => sequence.ToString(Padding, CultureInfo.InvariantCulture);
}
