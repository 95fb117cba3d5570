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

    /// <summary>A progress came that was behind the stored one.</summary>
    ProgressOutdated,

    /// <summary>A message arrived after one with greater positions.</summary>
    MessageOutOfOrder,

    DuplicateAnswered,
    ConflictAnswered,

    /// <summary>A derived key was taken by another event, and both stand.</summary>
    KeyExtended,

    LateEventHeld,

    /// <summary>A client stopped asking before it had an answer, and the event stands.</summary>
    UnansweredEventStands,
}
