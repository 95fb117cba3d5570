using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Explaining;

/// <summary>A push, and the stretches of the ledger that it told.</summary>
/// <param name="Key">The document it is of.</param>
/// <param name="Intent">The push as it stands now.</param>
/// <param name="Changes">A counter each; none of pushes that were minted before counters were noted.</param>
public sealed record PushTrail(DeltaKey Key, PushIntent Intent, IReadOnlyList<ToldChange> Changes)
{
    /// <summary>The billing period it told of, as that was cut then.</summary>
    public BillingPeriod Period => Intent.Period;
}

/// <summary>What a push told of one counter: the records behind one position up to another.</summary>
/// <param name="Counter">The counter as it was told.</param>
/// <param name="Behind">The position that the push before had told of it; 0 if it was the first.</param>
/// <param name="IsRecount">The counter was counted anew in between, so every record up to the position may be behind the change.</param>
public readonly record struct ToldChange(ToldCounter Counter, long Behind, bool IsRecount)
{
    /// <summary>Whether a record at a position is among those that were told.</summary>
    public bool Holds(long position) => position <= Counter.Version.Position && (IsRecount || position > Behind);
}

/// <summary>A page of the records that a push told.</summary>
/// <param name="Entries">Events, approvals and corrections, oldest timestamp first. May be fewer than asked for, also none.</param>
/// <param name="Next">Where the next page begins; null on the last.</param>
public sealed record ToldPage(IReadOnlyList<LedgerEntry> Entries, ToldCursor? Next);

/// <summary>A place among the records that a push told.</summary>
/// <param name="Change">Which of its counters.</param>
/// <param name="After">Behind which record of it.</param>
public readonly record struct ToldCursor(int Change, EventCursor? After);

/// <summary>A record of the ledger that pushes may carry.</summary>
/// <param name="Metric">Its metric.</param>
/// <param name="Customer">Its customer reference.</param>
/// <param name="At">An instant of its billing period.</param>
/// <param name="Position">From where on a counter holds it: its own, or that of its approval.</param>
public readonly record struct CarriedRecord(string Metric, string Customer, Instant At, long Position);

/// <summary>A page of the pushes that carried a record.</summary>
/// <param name="Pushes">By document, in the order in which they were minted. May be fewer than asked for, also none.</param>
/// <param name="Next">Where the next page begins; null on the last.</param>
public sealed record CarryingPage(IReadOnlyList<PushTrail> Pushes, CarryingCursor? Next);

/// <summary>A place in the histories of the documents a counter contributes to.</summary>
/// <param name="Document">The document; null before the first.</param>
/// <param name="Closing">Behind which entry of its history.</param>
/// <param name="Number">The highest number of an intent up to there.</param>
public readonly record struct CarryingCursor(DeltaKey? Document, long Closing, long Number);
