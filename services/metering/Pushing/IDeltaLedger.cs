using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pushing;

/// <summary>The delta ledger of one tenant.</summary>
public interface IDeltaLedger
{
    /// <summary>The newest saved document; null if there is none.</summary>
    Task<DeltaDocument?> LoadAsync(DeltaKey key, CancellationToken cancellation);

    /// <summary>
    /// Saves a document under the revision after its own, if what is stored still has its own (0: nothing is stored).
    /// False: another one was faster, and nothing was written. Durable when it returns.
    /// </summary>
    /// <exception cref="Ledger.StoreUnavailableException">Whether it was saved is not known.</exception>
    Task<bool> SaveAsync(DeltaDocument document, CancellationToken cancellation);

    /// <summary>
    /// Adds a closed intent to the history. One with its identifier and number of closing that is there already stands.
    /// </summary>
    Task AppendHistoryAsync(DeltaKey key, PushIntent intent, CancellationToken cancellation);

    /// <summary>Closed intents of a document in the order in which they were closed, those behind <paramref name="afterClosing"/>.</summary>
    Task<IReadOnlyList<PushIntent>> HistoryAsync(DeltaKey key, long afterClosing, int limit, CancellationToken cancellation);

    /// <summary>What the history says last of an intent; null if it says nothing.</summary>
    Task<PushIntent?> FindClosedAsync(string identifier, CancellationToken cancellation);

    /// <summary>Accounts that have documents that are due.</summary>
    Task<IReadOnlyList<AccountMode>> DueAccountsAsync(Instant now, int limit, CancellationToken cancellation);

    /// <summary>Documents of an account that are due, the longest due first.</summary>
    Task<IReadOnlyList<DeltaKey>> DueAsync(
        string account, bool livemode, Instant now, int limit, CancellationToken cancellation);

    /// <summary>Documents in the order of (meter, Stripe customer, account, live mode), texts by their bytes in UTF-8.</summary>
    Task<IReadOnlyList<DeltaDocument>> ListAsync(DeltaQuery query, CancellationToken cancellation);
}

/// <summary>Selects documents.</summary>
public sealed record DeltaQuery
{
    /// <summary>Only documents that a counter of this metric contributes to. Null: every metric.</summary>
    public string? Metric { get; init; }

    /// <summary>Only documents that a counter of this customer reference contributes to. Null: every customer.</summary>
    public string? Customer { get; init; }

    /// <summary>Starts with this document, or where it would stand. Null: at the beginning.</summary>
    public DeltaKey? From { get; init; }

    public int Limit { get; init; } = 100;
}

/// <summary>What Stripe has not accepted yet, over all tenants.</summary>
/// <param name="Documents">Documents that are behind.</param>
/// <param name="Oldest">Since when the one is behind that has been longest; null if there is none.</param>
/// <param name="Ambiguous">Documents whose open intent is ambiguous.</param>
/// <param name="Parked">Documents that are parked.</param>
public readonly record struct DeltaBacklog(long Documents, Instant? Oldest, long Ambiguous, long Parked);
