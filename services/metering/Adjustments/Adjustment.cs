using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Adjustments;

/// <summary>Why a counter is corrected. The numbers are on disk and in the protocol.</summary>
public enum AdjustmentReason
{
    Backfill = 1,
    Correction = 2,
    Promo = 3,
    Credit = 4,
    Manual = 5,

    /// <summary>An event came late. Not for manual adjustments.</summary>
    LateEvent = 6,
}

/// <summary>How far an adjustment has come. Both steps are final.</summary>
public enum AdjustmentStatus
{
    Pending = 1,
    Approved = 2,
    Reverted = 3,
}

/// <summary>
/// A correction of one counter: a signed change of its sum, or a whole event that came late. What it is about never
/// changes; what became of it is told by two records of the ledger.
/// </summary>
public sealed record Adjustment
{
    /// <summary>Manual ones sort by when they were created; that of a late event is made of its key.</summary>
    public required string Id { get; init; }

    public required string Metric { get; init; }

    public required string Customer { get; init; }

    /// <summary>An instant of the period it belongs to; of a late event, its timestamp.</summary>
    public required Instant At { get; init; }

    /// <summary>What the sum changes by; of a late event, its quantity.</summary>
    public required Quantity Delta { get; init; }

    public required AdjustmentReason Reason { get; init; }

    /// <summary>Who created it.</summary>
    public string Actor { get; init; } = "";

    public Instant Created { get; init; }

    /// <summary>The caller's own name for the request that created it; may be empty.</summary>
    public string RequestId { get; init; } = "";

    public string Note { get; init; } = "";

    /// <summary>Of a late event, its key; empty otherwise.</summary>
    public string EventKey { get; init; } = "";

    /// <summary>The kind of record that approves it.</summary>
    public RecordKind ApprovalKind => EventKey.Length > 0 ? RecordKind.LateEventApproved : RecordKind.AdjustmentApproved;

    /// <summary>What its control records are about.</summary>
    public string Subject => EventKey.Length > 0 ? EventKey : Id;
}

/// <summary>An adjustment and what became of it.</summary>
/// <param name="Adjustment">The adjustment.</param>
/// <param name="Approval">The record that approves it, if there is one.</param>
/// <param name="Revert">The record that reverts it, if there is one.</param>
public sealed record AdjustmentState(Adjustment Adjustment, LedgerEntry? Approval, LedgerEntry? Revert)
{
    public AdjustmentStatus Status => Revert is not null ? AdjustmentStatus.Reverted
        : Approval is not null ? AdjustmentStatus.Approved : AdjustmentStatus.Pending;
}

/// <summary>Selects adjustments.</summary>
public sealed record AdjustmentQuery
{
    /// <summary>Null: every metric.</summary>
    public string? Metric { get; init; }

    /// <summary>Null: every customer.</summary>
    public string? Customer { get; init; }

    /// <summary>Inclusive, on the instant of the period.</summary>
    public Instant From { get; init; } = Instant.Minimum;

    /// <summary>Inclusive.</summary>
    public Instant To { get; init; } = Instant.Maximum;

    /// <summary>Null: every status.</summary>
    public AdjustmentStatus? Status { get; init; }

    /// <summary>Only late events.</summary>
    public bool LateOnly { get; init; }

    /// <summary>Where to go on; null: at the beginning.</summary>
    public AdjustmentCursor? After { get; init; }

    public int Limit { get; init; } = 100;
}

/// <summary>A place in a listing: behind a manual adjustment, or behind a late event.</summary>
public sealed record AdjustmentCursor(string? ManualId, EventCursor? LateEvent);

/// <summary>A page of a listing: what passes its filters of as many as the limit says.</summary>
/// <param name="Adjustments">Manual ones, newest first, or late events, newest timestamp first.</param>
/// <param name="Next">Where the next page begins; null on the last.</param>
public sealed record AdjustmentPage(IReadOnlyList<AdjustmentState> Adjustments, AdjustmentCursor? Next);
