namespace StripeMeter.Metering.Pushing;

/// <summary>Reads the history of a delta document.</summary>
internal static class DeltaHistory
{
    /// <summary>Entries read at a time.</summary>
    public const int PageIntents = 1_000;

    /// <summary>What the history says last of each intent.</summary>
    /// <param name="ledger">The tenant's delta ledger.</param>
    /// <param name="key">The document.</param>
    /// <param name="afterClosing">Behind which entry.</param>
    /// <param name="upTo">Up to which entry.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public static async Task<IReadOnlyCollection<PushIntent>> LastAsync(
        IDeltaLedger ledger, DeltaKey key, long afterClosing, long upTo, CancellationToken cancellation)
    {
        var last = new Dictionary<string, PushIntent>();
        for (var read = afterClosing; read < upTo;)
        {
            var page = await ledger.HistoryAsync(key, read, (int)Math.Min(PageIntents, upTo - read), cancellation).ConfigureAwait(false);
            foreach (var intent in page.Where(intent => intent.Closing <= upTo))
                last[intent.Identifier] = intent;
            if (page.Count == 0)
                break;
            read = page[^1].Closing;
        }

        return last.Values;
    }
}
