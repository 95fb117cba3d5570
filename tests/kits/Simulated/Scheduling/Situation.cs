namespace StripeMeter.Kits.Simulated.Scheduling;

/// <summary>Rare states that the protocols have code for. A simulation that never meets one proves nothing about it.</summary>
public enum Situation
{
    /// <summary>A reader put junk on a position.</summary>
    HoleFilled,

    /// <summary>A writer came back to a position that a reader had filled.</summary>
    WriterDisplaced,

    /// <summary>A writer lost the race for a key.</summary>
    KeyRaceLost,

    /// <summary>A writer lost the race for a key to a record that no majority holds yet.</summary>
    KeyRaceUndecided,

    /// <summary>A row came that was not newer than the stored one.</summary>
    RowOutdated,

    /// <summary>A row came that was neither covered by the stored one nor covered it: one of them was counted anew.</summary>
    RowNotCovered,

    /// <summary>Counters that were counted anew were taken over.</summary>
    RecountInstalled,

    /// <summary>A recount had to look at more before it was taken over.</summary>
    RecountFollowed,

    /// <summary>A recount was overtaken by another re-cut.</summary>
    RecountStartedAgain,

    /// <summary>An approval stands behind the revert of what it approves.</summary>
    ApprovedAfterRevert,

    /// <summary>An event stands behind the exclusion of its session.</summary>
    ExcludedBefore,

    /// <summary>A counter was emptied because its period is none any more.</summary>
    CounterEmptied,

    /// <summary>A progress came that was behind the stored one.</summary>
    ProgressOutdated,

    /// <summary>A message arrived after one with greater positions.</summary>
    MessageOutOfOrder,

    DuplicateAnswered,
    ConflictAnswered,

    /// <summary>A derived key was taken by another event, and both stand.</summary>
    KeyExtended,

    LateEventHeld,

    BackfillCommitted,

    /// <summary>A backfill was given up, or taken back.</summary>
    BackfillReverted,

    /// <summary>A client stopped asking before it had an answer, and the event stands.</summary>
    UnansweredEventStands,

    /// <summary>Another writer of a delta document was faster.</summary>
    RevisionOutdated,

    /// <summary>A period was cut, and what was told for it sorted anew.</summary>
    PeriodsCut,

    /// <summary>An intent was sent again because it was in doubt.</summary>
    SentAgain,

    /// <summary>Stripe answered that it knows an identifier.</summary>
    IdentifierKnown,

    /// <summary>An intent in doubt was found in its minute.</summary>
    IntentFound,

    /// <summary>An intent was missing in its minute.</summary>
    IntentMissing,

    /// <summary>An accepted intent was rejected after an error report.</summary>
    IntentRejectedLater,

    /// <summary>An intent that was certainly not taken came to the end of its period.</summary>
    IntentExpired,

    /// <summary>Usage was carried into another period.</summary>
    UsageCarried,

    /// <summary>Usage could not be billed and was not carried.</summary>
    UsageUnbilled,

    /// <summary>A correction lowered what Stripe had.</summary>
    CorrectionTold,

    /// <summary>A difference had more digits than one event takes.</summary>
    DifferenceSplit,

    /// <summary>A reference moved to another Stripe customer.</summary>
    ReferenceMoved,

    /// <summary>What Stripe refused of a parked document went with its reference to another Stripe customer.</summary>
    RefusedTakenAlong,

    /// <summary>A document was parked because Stripe refused too much of it in a row.</summary>
    DocumentParked,

    /// <summary>A mapping was changed because documents were parked.</summary>
    MappingChanged,
}
