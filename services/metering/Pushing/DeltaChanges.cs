using StripeMeter.Metering.Ledger;

namespace StripeMeter.Metering.Pushing;

/// <summary>Changes delta documents by compare-and-set.</summary>
internal static class DeltaChanges
{
    /// <summary>Tries against other writers of a document.</summary>
    public const int MaximumSaves = 20;

    /// <summary>
    /// Loads a document, changes it and saves it, all again where another writer was faster. Durable when it returns.
    /// </summary>
    /// <param name="ledger">Where it stands.</param>
    /// <param name="key">Which document.</param>
    /// <param name="change">Answers the same document if there is nothing to change, null if it is none of its business.</param>
    /// <param name="cancellation">Ends the work.</param>
    /// <param name="absent">What to begin with where there is no such document; null leaves it so.</param>
    /// <returns>False if there is no such document, or it was none of the change's business.</returns>
    /// <exception cref="StoreUnavailableException">It may not have been changed.</exception>
    public static async Task<bool> ChangeAsync(
        this IDeltaLedger ledger, DeltaKey key, Func<DeltaDocument, DeltaDocument?> change, CancellationToken cancellation,
        DeltaDocument? absent = null)
    {
        for (var save = 0; save < MaximumSaves; save++)
        {
            var document = await ledger.LoadAsync(key, cancellation).ConfigureAwait(false) ?? absent;
            if (document is null || change(document) is not { } changed)
                return false;
            if (ReferenceEquals(changed, document) || await ledger.SaveAsync(changed, cancellation).ConfigureAwait(false))
                return true;
        }

        throw TooSlow();
    }

    public static StoreUnavailableException TooSlow() => new("Other writers were faster each time.");
}
