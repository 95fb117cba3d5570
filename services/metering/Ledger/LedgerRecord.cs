using StripeMeter.Metering.Events;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Ledger;

/// <summary>What a record is. The numbers are on disk and in messages.</summary>
public enum RecordKind
{
    /// <summary>A usage event.</summary>
    Event = 1,

    /// <summary>Fills a position that its writer never used. Counts nothing.</summary>
    Junk = 2,
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
/// <param name="Fingerprint">Of the event; zero for junk.</param>
/// <param name="Event">The event; null for junk.</param>
/// <param name="Received">When it was taken in.</param>
/// <param name="Late">Received after its lateness window: held, not counted. Stamped once, here.</param>
public sealed record LedgerRecord(
    KeySpace Space, string Key, RecordKind Kind, Fingerprint Fingerprint, UsageEvent? Event, Instant Received, bool Late)
{
    public static LedgerRecord OfEvent(string key, Fingerprint fingerprint, UsageEvent usage, Instant received, bool late) =>
        new(KeySpace.Client, key, RecordKind.Event, fingerprint, usage, received, late);

    /// <summary>The junk for one position of one shard. There is only one, so two fillers cannot disagree.</summary>
    public static LedgerRecord JunkAt(int shard, long position, Instant received) =>
        new(KeySpace.Junk, FormattableString.Invariant($"{shard}:{position}"), RecordKind.Junk, default, null, received, false);
}

/// <summary>A record and its place in its shard log, from 1.</summary>
public readonly record struct PositionedRecord(long Position, LedgerRecord Record);
