namespace StripeMeter.Metering.Documents;

/// <summary>What a document is. The numbers are on disk.</summary>
public enum DocumentKind
{
    /// <summary>An event that was refused because another stands under its key. The oldest are dropped.</summary>
    Conflict = 1,

    /// <summary>An import of a file, or a backfill session.</summary>
    Backfill = 2,

    /// <summary>A row of an import that was refused.</summary>
    BackfillProblem = 3,

    /// <summary>An event that waits in a backfill session, outside of the ledger.</summary>
    StagedEvent = 4,

    /// <summary>Names a backfill that is not at its end, so that it goes on after a crash. Deleted when it is.</summary>
    BackfillWork = 5,

    /// <summary>A manual adjustment, as it was created. Whether it was approved or reverted stands in the ledger.</summary>
    Adjustment = 6,

    /// <summary>Says which adjustment a request created, by the name the caller gave the request.</summary>
    AdjustmentRequest = 7,

    /// <summary>Usage, prices and what they must cost; also after it was deleted.</summary>
    SimulationScenario = 8,

    /// <summary>A run of a scenario, with what came out. The oldest are dropped.</summary>
    SimulationRun = 9,

    /// <summary>Names a run that is not at its end, so that it goes on after a crash. Deleted when it is.</summary>
    SimulationWork = 10,

    /// <summary>A webhook event of Stripe that was taken, so that it is not taken again. The oldest are dropped.</summary>
    StripeEvent = 11,

    /// <summary>A webhook event about which something is still to be done. Deleted when it is.</summary>
    StripeEventWork = 12,

    /// <summary>A call of the billing driver, by its idempotency key.</summary>
    DriverCall = 13,

    /// <summary>A published event that was not taken.</summary>
    DeadLetter = 14,

    /// <summary>Says for which request a caller's Idempotency-Key stands.</summary>
    RequestKey = 15,

    /// <summary>An event of a backfill that was in the ledger already.</summary>
    BackfillDuplicate = 16,

    /// <summary>Says which backfill a request opened, by the name the caller gave the request.</summary>
    BackfillRequest = 17,

    /// <summary>Runs of scenarios that were started together. The oldest are dropped.</summary>
    SimulationBatch = 18,

    /// <summary>An API key: its hash, never the key.</summary>
    ApiKey = 20,

    /// <summary>In the directory: of which tenant a key is.</summary>
    ApiKeyOwner = 21,

    /// <summary>In the directory: an organisation, by its tenant id.</summary>
    Organisation = 22,

    /// <summary>A project of an organisation.</summary>
    Project = 23,

    /// <summary>An entry of the audit log. Added, and never changed or deleted.</summary>
    AuditEntry = 24,

    /// <summary>How a billing period of a Stripe customer on a meter stands between the ledger and Stripe.</summary>
    ReconciliationReport = 30,

    /// <summary>What such a report said before.</summary>
    ReconciliationHistory = 31,

    /// <summary>One comparison with Stripe.</summary>
    ReconciliationRun = 32,

    /// <summary>Names a comparison that is not over, so that it is found again after a crash. Deleted when it is.</summary>
    ReconciliationWork = 33,

    /// <summary>In the directory: up to when the reads of a Stripe account are taken, in ticks.</summary>
    ReadBudget = 34,
}

/// <summary>A small document beside the ledger.</summary>
/// <param name="Id">Unique within its tenant and kind. At most 512 characters.</param>
/// <param name="Body">JSON text.</param>
/// <param name="Revision">Rises by one with every write, from 1; 0 stands for a document that is not stored.</param>
public readonly record struct StoredDocument(string Id, string Body, long Revision);

/// <summary>
/// What operators keep of one tenant beside its ledger: small documents by kind and id. Every write that returns is durable.
/// Ids are ordered by their bytes in UTF-8.
/// </summary>
public interface IDocuments
{
    Task<StoredDocument?> GetAsync(DocumentKind kind, string id, CancellationToken cancellation);

    /// <summary>Documents in the order of their ids, at most <see cref="DocumentQuery.Limit"/>.</summary>
    Task<IReadOnlyList<StoredDocument>> ListAsync(DocumentQuery query, CancellationToken cancellation);

    /// <summary>Counts the documents whose ids begin with a prefix.</summary>
    Task<long> CountAsync(DocumentKind kind, string prefix, CancellationToken cancellation);

    /// <summary>
    /// Writes each document whose stored revision is the one it carries: 0 creates it. Returns, in their order, whether each
    /// was written; one that was not was changed meanwhile, or is there already.
    /// </summary>
    Task<IReadOnlyList<bool>> WriteAsync(
        DocumentKind kind, IReadOnlyList<StoredDocument> documents, CancellationToken cancellation);

    /// <summary>Deletes at most <paramref name="limit"/> documents whose ids begin with a prefix. Returns how many.</summary>
    Task<int> DeleteAsync(DocumentKind kind, string prefix, int limit, CancellationToken cancellation);

    /// <summary>Deletes all but the last documents of a kind, in the order of their ids.</summary>
    Task TrimAsync(DocumentKind kind, int keep, CancellationToken cancellation);
}

/// <summary>Selects documents of one kind.</summary>
public sealed record DocumentQuery(DocumentKind Kind)
{
    /// <summary>Ids begin with it.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Starts behind this id, in the direction of the listing. Null: at the beginning.</summary>
    public string? After { get; init; }

    /// <summary>From the last id to the first.</summary>
    public bool Descending { get; init; }

    public int Limit { get; init; } = 100;
}
