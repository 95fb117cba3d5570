using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Ledger;

/// <summary>What folding needs of a record: it travels in messages and is read from the log without the rest.</summary>
/// <param name="Position">Place in the shard log, from 1.</param>
/// <param name="Kind">What the record is.</param>
/// <param name="Metric">Empty for junk.</param>
/// <param name="Customer">Empty for junk.</param>
/// <param name="Quantity">Zero for junk.</param>
/// <param name="Timestamp">When the usage happened.</param>
/// <param name="Key">Breaks ties of <c>last</c>.</param>
/// <param name="Late">Held: takes a position, counts nothing.</param>
/// <param name="Session">The backfill session an event came by; empty for all else.</param>
/// <param name="Control">What a control record says; null for all else.</param>
public readonly record struct Countable(
    long Position, RecordKind Kind, string Metric, string Customer, Quantity Quantity, Instant Timestamp, string Key, bool Late,
    string Session = "", ControlBody? Control = null)
{
    /// <summary>Whether all that it may need besides itself is its counter: so it is with nearly every record.</summary>
    public bool IsPlain => Kind <= RecordKind.Junk && Session.Length == 0;

    /// <summary>Whether it adds to a counter, unless it was cancelled.</summary>
    public bool Counts => (Kind == RecordKind.Event && !Late) || IsApproval;

    /// <summary>Whether it counts what waited for approval.</summary>
    public bool IsApproval => Kind is RecordKind.AdjustmentApproved or RecordKind.LateEventApproved;

    /// <summary>Whether it takes back what was, or might be, approved.</summary>
    public bool IsRevert => Kind is RecordKind.AdjustmentReverted or RecordKind.LateEventReverted;

    /// <summary>Whether it makes counters be counted anew.</summary>
    public bool IsRecut => IsRevert
        || Kind is RecordKind.SessionExcluded or RecordKind.AnchorChanged or RecordKind.CounterRepaired;

    public static Countable Of(PositionedRecord positioned)
    {
        var (position, record) = (positioned.Position, positioned.Record);
        if (record.Event is { } usage)
        {
            return new Countable(
                position, record.Kind, usage.Metric, usage.Customer, usage.Quantity, usage.Timestamp, record.Key, record.Late,
                record.Session);
        }

        return record.Control is { } control
            ? OfControl(position, record.Kind, record.Key, control)
            : new Countable(position, record.Kind, "", "", default, default, record.Key, false);
    }

    public static Countable OfControl(long position, RecordKind kind, string key, ControlBody control)
    {
        ArgumentNullException.ThrowIfNull(control);
        return new Countable(
            position, kind, control.Metric, control.Customer, control.Quantity, control.At, key, false, "", control);
    }
}
