using System.Text.Json;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Backfilling;

/// <summary>What a backfill is made by. The numbers are on disk.</summary>
public enum BackfillKind
{
    /// <summary>A file, or events of one request: committed as soon as they are all there.</summary>
    Import = 1,

    /// <summary>Opened, filled and committed by its owner, step by step.</summary>
    Session = 2,
}

/// <summary>How far a backfill has come. The numbers are on disk.</summary>
public enum BackfillState
{
    /// <summary>Takes events, which nobody sees.</summary>
    Open = 1,

    /// <summary>It was decided that its events count: they are being appended. Of a dry run: they are being looked at.</summary>
    Committing = 2,

    /// <summary>All its events are appended.</summary>
    Committed = 3,

    /// <summary>It was decided that its events do not count.</summary>
    Reverting = 4,

    /// <summary>None of its events counts.</summary>
    Reverted = 5,
}

/// <summary>How a backfill stands, as it is told. The numbers are in the protocol.</summary>
public enum BackfillStatus
{
    /// <summary>A session that takes events.</summary>
    Open = 1,

    /// <summary>An import whose events are not all there yet.</summary>
    Pending = 2,

    Processing = 3,
    Completed = 4,
    Reverting = 5,

    /// <summary>Given up before it was committed: nothing of it was ever counted.</summary>
    Cancelled = 6,

    /// <summary>Taken back after it was committed.</summary>
    Reverted = 7,

    /// <summary>Its file could not be read to the end: nothing of it was ever counted.</summary>
    Failed = 8,
}

/// <summary>Which events a backfill takes.</summary>
/// <param name="Metrics">Empty: every metric.</param>
/// <param name="Customers">Empty: every customer.</param>
/// <param name="From">Inclusive, on timestamps.</param>
/// <param name="Before">Exclusive.</param>
public sealed record BackfillScope(IReadOnlyList<string> Metrics, IReadOnlyList<string> Customers, Instant From, Instant Before)
{
    /// <summary>Why an event is none of this backfill's; null if it is.</summary>
    public FieldError? Check(UsageEvent usage)
    {
        ArgumentNullException.ThrowIfNull(usage);
        if (Metrics.Count > 0 && !Metrics.Contains(usage.Metric))
            return new FieldError("metric", $"must be {string.Join(" or ", Metrics)}, as the backfill says");
        if (Customers.Count > 0 && !Customers.Contains(usage.Customer))
            return new FieldError("customer_ref", $"must be {string.Join(" or ", Customers)}, as the backfill says");
        return usage.Timestamp >= From && usage.Timestamp < Before
            ? null
            : new FieldError("timestamp", $"must be from {From} to before {Before}, as the backfill says");
    }
}

/// <summary>What became of the events of a backfill so far.</summary>
/// <param name="Accepted">Appended by it, or new to the ledger if it is a dry run.</param>
/// <param name="Duplicates">In the ledger already.</param>
/// <param name="Conflicts">Refused, because another event stands under their key.</param>
/// <param name="Buried">Of the duplicates, those that came by a backfill that was taken back: they count nowhere.</param>
public readonly record struct BackfillTally(long Accepted, long Duplicates, long Conflicts, long Buried)
{
    public long Processed => Accepted + Duplicates + Conflicts;

    public static BackfillTally operator +(BackfillTally left, BackfillTally right) => new(
        left.Accepted + right.Accepted, left.Duplicates + right.Duplicates, left.Conflicts + right.Conflicts, left.Buried + right.Buried);
}

/// <summary>
/// Events of the past that come together, wait outside of the ledger, and count together or not at all. It is one document,
/// changed by compare-and-set: what is decided is decided once.
/// </summary>
public sealed record Backfill
{
    /// <summary>Names it within its tenant; ids rise with time. Its events carry it as their session.</summary>
    public required string Id { get; init; }

    public required BackfillKind Kind { get; init; }

    public required BackfillScope Scope { get; init; }

    /// <summary>Why, for people.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Who opened it.</summary>
    public string Actor { get; init; } = "";

    /// <summary>How its events came, for people: <c>json</c>, <c>csv</c>, <c>jsonl</c>.</summary>
    public string Source { get; init; } = "";

    /// <summary>Nothing is appended: it is only said what would be.</summary>
    public bool DryRun { get; init; }

    public BackfillState State { get; init; } = BackfillState.Open;

    public Instant Created { get; init; }

    public Instant Updated { get; init; }

    /// <summary>When it was decided that its events count.</summary>
    public Instant? CommitDecided { get; init; }

    /// <summary>When it came to rest.</summary>
    public Instant? Ended { get; init; }

    /// <summary>Who decided that its events do not count.</summary>
    public string RevertedBy { get; init; } = "";

    /// <summary>What that person had to say about it.</summary>
    public string Note { get; init; } = "";

    /// <summary>Why its file could not be read to the end.</summary>
    public string Problem { get; init; } = "";

    /// <summary>Rows of its file as its reader counted them; 0 if there was no file.</summary>
    public long Rows { get; init; }

    /// <summary>Events that waited when it was committed.</summary>
    public long Staged { get; init; }

    /// <summary>Rows that were refused before it was committed.</summary>
    public long Refused { get; init; }

    public BackfillTally Tally { get; init; }

    /// <summary>Hash of the file as it came, so that the same can be told from another; empty if there was none.</summary>
    public string ContentDigest { get; init; } = "";

    /// <summary>Everything up to this staged event is appended.</summary>
    public string Cursor { get; init; } = "";

    /// <summary>
    /// The staged events behind the cursor that are appended next, without the prefix of their ids. Nothing but what was once named here
    /// is appended, so an event that comes while the commit is decided is in the tally or not in the ledger.
    /// </summary>
    public IReadOnlyList<string> Page { get; init; } = [];

    /// <summary>Of the stored document.</summary>
    internal long Revision { get; init; }

    public BackfillStatus Status => State switch
    {
        BackfillState.Open => Kind == BackfillKind.Session ? BackfillStatus.Open : BackfillStatus.Pending,
        BackfillState.Committing => BackfillStatus.Processing,
        BackfillState.Committed => BackfillStatus.Completed,
        BackfillState.Reverting => BackfillStatus.Reverting,
        _ when CommitDecided is not null => BackfillStatus.Reverted,
        _ => Problem.Length > 0 ? BackfillStatus.Failed : BackfillStatus.Cancelled,
    };

    /// <summary>Rows of its file that were there before in the same file.</summary>
    public long RepeatedRows => Math.Max(0, Rows - Staged - Refused);

    internal StoredDocument ToDocument() => new(Id, JsonSerializer.Serialize(this), Revision);

    internal static Backfill Of(StoredDocument stored) =>
        JsonSerializer.Deserialize<Backfill>(stored.Body)! with { Revision = stored.Revision };
}
