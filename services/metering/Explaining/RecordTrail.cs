using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Explaining;

/// <summary>Whether an event or an adjustment counts, and why. The numbers are in the protocol.</summary>
public enum RecordStanding
{
    /// <summary>It counts since it was appended.</summary>
    Counted = 1,

    /// <summary>It came late and waits for approval.</summary>
    Held = 2,

    /// <summary>It came late, was approved, and counts.</summary>
    Approved = 3,

    /// <summary>It was taken back, and does not count.</summary>
    Reverted = 4,

    /// <summary>The backfill session it came by was taken back, and it does not count.</summary>
    Excluded = 5,
}

/// <summary>An event or an approved adjustment, and what the ledger says became of it.</summary>
/// <param name="Entry">The record.</param>
/// <param name="Period">The billing period it belongs to, by the anchors there are now.</param>
/// <param name="Standing">Whether it counts.</param>
/// <param name="Approval">Of a late event, the record that approves it, if there is one.</param>
/// <param name="TakenBackBy">The record that takes it back, if there is one.</param>
public sealed record RecordTrail(
    LedgerEntry Entry, BillingPeriod Period, RecordStanding Standing, LedgerEntry? Approval, LedgerEntry? TakenBackBy)
{
    public bool Counts => Standing is RecordStanding.Counted or RecordStanding.Approved;

    /// <summary>What it adds to a sum where it counts.</summary>
    public Quantity Quantity => Entry.Record.Event?.Quantity ?? Entry.Record.Control!.Quantity;

    /// <summary>The position behind which a counter of its period has what became of it.</summary>
    public long SettledAt => TakenBackBy?.Position ?? Approval?.Position ?? Entry.Position;
}

/// <summary>A page of the records of one counter.</summary>
/// <param name="Trails">Events and approved adjustments, oldest first. May be fewer than asked for.</param>
/// <param name="Next">Where the next page begins; null on the last.</param>
public sealed record TrailPage(IReadOnlyList<RecordTrail> Trails, EventCursor? Next);
