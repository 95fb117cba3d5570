using StripeMeter.Metering.Events;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Ledger;

/// <summary>What a record is: an event, junk, or a control record. The numbers are on disk and in messages.</summary>
public enum RecordKind
{
    /// <summary>A usage event.</summary>
    Event = 1,

    /// <summary>Fills a position that its writer never used. Counts nothing.</summary>
    Junk = 2,

    /// <summary>Adds to the sum of one counter, and to nothing else of it.</summary>
    AdjustmentApproved = 3,

    /// <summary>Takes an adjustment back for ever, whether its approval stands before or behind. Re-cuts its counter.</summary>
    AdjustmentReverted = 4,

    /// <summary>Counts an event that came late.</summary>
    LateEventApproved = 5,

    /// <summary>Takes a late event back for ever, whether its approval stands before or behind. Re-cuts its counter.</summary>
    LateEventReverted = 6,

    /// <summary>No event of a session counts any more, wherever in this shard it stands. Re-cuts what they had counted in.</summary>
    SessionExcluded = 7,

    /// <summary>A customer's periods begin elsewhere from an instant on. Re-cuts the customer's counters that are not closed.</summary>
    AnchorChanged = 8,

    /// <summary>One counter is counted anew.</summary>
    CounterRepaired = 9,
}

/// <summary>Keeps the keys of clients, of control records and of junk apart. The numbers are on disk.</summary>
public enum KeySpace
{
    Client = 1,
    Control = 2,
    Junk = 3,
}

/// <summary>An entry of a shard log, before or after it has a position. Never changed once it has one.</summary>
/// <param name="Space">The space of <paramref name="Key"/>.</param>
/// <param name="Key">Unique within (tenant, space), for ever.</param>
/// <param name="Kind">What the record is.</param>
/// <param name="Fingerprint">Of the event; zero for all else.</param>
/// <param name="Event">The event; null for all else.</param>
/// <param name="Received">When it was taken in.</param>
/// <param name="Late">Received after its lateness window: held, not counted. Stamped once, here.</param>
public sealed record LedgerRecord(
    KeySpace Space, string Key, RecordKind Kind, Fingerprint Fingerprint, UsageEvent? Event, Instant Received, bool Late)
{
    /// <summary>The backfill session an event came by; empty if it came by itself.</summary>
    public string Session { get; init; } = "";

    /// <summary>What a control record says; null for all else.</summary>
    public ControlBody? Control { get; init; }

    /// <summary>The metric of its event or of what it controls; empty if there is none.</summary>
    public string Metric => Event?.Metric ?? Control?.Metric ?? "";

    /// <summary>The customer of its event or of what it controls; empty if there is none.</summary>
    public string Customer => Event?.Customer ?? Control?.Customer ?? "";

    /// <summary>When the usage happened; of a control record, an instant of the period concerned.</summary>
    public Instant Timestamp => Event?.Timestamp ?? Control?.At ?? default;

    public static LedgerRecord OfEvent(
        string key, Fingerprint fingerprint, UsageEvent usage, Instant received, bool late, string session = "") =>
        new(KeySpace.Client, key, RecordKind.Event, fingerprint, usage, received, late) { Session = session };

    /// <summary>A control record; <see cref="ControlRecords"/> makes each kind with its key.</summary>
    public static LedgerRecord OfControl(string key, RecordKind kind, ControlBody control, Instant received) =>
        new(KeySpace.Control, key, kind, default, null, received, false) { Control = control };

    /// <summary>The junk for one position of one shard. There is only one, so two fillers cannot disagree.</summary>
    public static LedgerRecord JunkAt(int shard, long position, Instant received) =>
        new(KeySpace.Junk, FormattableString.Invariant($"{shard}:{position}"), RecordKind.Junk, default, null, received, false);
}

/// <summary>A record and its place in its shard log, from 1.</summary>
public readonly record struct PositionedRecord(long Position, LedgerRecord Record);
