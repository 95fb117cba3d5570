using System.Runtime.CompilerServices;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Metering.Counting;

/// <summary>
/// Reads the events that count where they stand: those that came in time and are of no excluded session. Late events that
/// were approved, and adjustments, are in the counters only.
/// </summary>
internal static class CountedEvents
{
    private const int PageEvents = 2_000;

    /// <summary>Events in the order of the query, whose limit does not matter.</summary>
    public static async IAsyncEnumerable<LedgerEntry> ReadAsync(
        ILedger ledger, EventQuery query, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var excluded = new Dictionary<RecordKey, bool>();
        query = query with { Late = false, Limit = PageEvents };
        while (true)
        {
            var page = await ledger.QueryAsync(query, cancellation).ConfigureAwait(false);
            await LearnAsync(ledger, page, excluded, cancellation).ConfigureAwait(false);
            foreach (var entry in page)
            {
                if (entry.Record.Session.Length == 0 || !excluded[ExclusionOf(entry)])
                    yield return entry;
            }

            if (page.Count < PageEvents)
                yield break;
            query = query with { After = EventCursor.Of(page[^1], query.Order) };
        }
    }

    private static async Task LearnAsync(
        ILedger ledger, IReadOnlyList<LedgerEntry> page, Dictionary<RecordKey, bool> excluded, CancellationToken cancellation)
    {
        var unknown = page.Where(entry => entry.Record.Session.Length > 0).Select(ExclusionOf)
            .Where(key => !excluded.ContainsKey(key)).Distinct().ToArray();
        if (unknown.Length == 0)
            return;
        var found = await ledger.FindAsync(unknown, cancellation).ConfigureAwait(false);
        foreach (var key in unknown)
            excluded[key] = found.ContainsKey(key);
    }

    private static RecordKey ExclusionOf(LedgerEntry entry) =>
        new(KeySpace.Control, ControlRecords.ExclusionKey(entry.Record.Session, entry.Shard));
}
