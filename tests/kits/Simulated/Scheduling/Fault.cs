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

    /// <summary>A sweep stops; if there is none any more, one starts anew.</summary>
    SweepCrash,

    /// <summary>A sweep starts although there is one: two replicas of the aggregator have one each.</summary>
    SecondSweep,

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

    /// <summary>A process that pushes stops for ever between two steps. What it has sent may still arrive.</summary>
    PusherCrash,

    /// <summary>A process that raises targets, enters reports or reconciles stops for ever between two steps.</summary>
    HelperCrash,

    /// <summary>Hours or days pass while nothing happens.</summary>
    DaysPass,

    /// <summary>A request to Stripe never arrives.</summary>
    RequestLost,

    /// <summary>A request to Stripe arrives when its sender has given it up.</summary>
    RequestSlow,

    /// <summary>Stripe does what is asked, and its answer is lost.</summary>
    ReplyLost,

    /// <summary>Stripe answers 500 before doing what is asked, and answers so again under the same idempotency key.</summary>
    ErrorBefore,

    /// <summary>Stripe does what is asked and answers 500, and answers so again under the same idempotency key.</summary>
    ErrorAfter,

    /// <summary>Stripe's limiter answers 429 or 409 before anything is looked at.</summary>
    CallLimited,

    /// <summary>Stripe refuses a request as wrong, before anything is looked at.</summary>
    CallRefused,

    /// <summary>The key is revoked for some hours: 401.</summary>
    KeyRevoked,

    /// <summary>Stripe is out of reach for hours. Now and then a request gets through, and its reply does not.</summary>
    Outage,

    /// <summary>Stripe answers 200 and drops the event when it processes it.</summary>
    EventDropped,

    /// <summary>A dropped event is in no error report: they list samples.</summary>
    ReportLost,

    /// <summary>An error report names an event that was counted.</summary>
    ReportMistaken,

    /// <summary>The summaries show an event only after hours.</summary>
    SummaryLags,

    /// <summary>The summaries cannot be read.</summary>
    SummaryUnreadable,

    /// <summary>Stripe knows an identifier from somebody else, as after a restored backup.</summary>
    IdentifierTaken,

    /// <summary>No invoice event says when an invoice becomes final.</summary>
    InvoiceEventLost,
}
