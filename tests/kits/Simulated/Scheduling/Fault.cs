namespace StripeMeter.Kits.Simulated.Scheduling;

/// <summary>What may go wrong.</summary>
public enum Fault
{
    /// <summary>A write fails and is never applied.</summary>
    WriteRefused,

    /// <summary>A write fails for its caller, and is applied later all the same.</summary>
    WriteLandsLate,

    /// <summary>A write is applied and its caller is told that it failed.</summary>
    WriteAnswerLost,

    /// <summary>A write takes seconds.</summary>
    WriteSlow,

    /// <summary>Some documents of a write are applied; its caller is told that it failed.</summary>
    WriteTorn,

    /// <summary>Writes that no majority holds yet are gone: another primary was elected.</summary>
    WriteRolledBack,

    /// <summary>A read fails.</summary>
    ReadRefused,

    /// <summary>An answer takes seconds; by then, what it says is old.</summary>
    AnswerSlow,

    /// <summary>A call between processes does its work, and its caller is told that it failed.</summary>
    CallAnswerLost,

    /// <summary>A process that appends stops for ever between two steps. What it has sent may still land.</summary>
    WriterCrash,

    /// <summary>An activation that folds stops for ever between two steps.</summary>
    FolderCrash,

    /// <summary>The sweep stops and starts anew.</summary>
    SweepCrash,

    /// <summary>A shard is activated although it is active elsewhere.</summary>
    SecondActivation,

    /// <summary>Seconds pass while nothing happens: whoever waits loses patience with those who are still alive.</summary>
    TimePasses,

    /// <summary>A message never arrives.</summary>
    MessageLost,

    /// <summary>A message arrives twice.</summary>
    MessageDuplicated,

    /// <summary>A message arrives late, after others that were sent later.</summary>
    MessageDelayed,

    /// <summary>A message that was acknowledged comes again, much later.</summary>
    MessageRedelivered,

    /// <summary>A save of actor state reports success and never committed.</summary>
    SaveLost,

    /// <summary>A save of actor state fails.</summary>
    SaveRefused,

    /// <summary>Actor state is what it was some saves ago.</summary>
    StateFallsBack,

    /// <summary>Counters and progress are deleted while nobody folds; actor state stays.</summary>
    RowsDeleted,

    /// <summary>The clock of a writer is hours wrong.</summary>
    ClockSkewed,
}
