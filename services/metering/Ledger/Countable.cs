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
public readonly record struct Countable(
    long Position, RecordKind Kind, string Metric, string Customer, Quantity Quantity, Instant Timestamp, string Key, bool Late)
{
    public static Countable Of(PositionedRecord positioned) => positioned.Record.Event is { } usage
        ? new Countable(
            positioned.Position, positioned.Record.Kind, usage.Metric, usage.Customer, usage.Quantity, usage.Timestamp,
            positioned.Record.Key, positioned.Record.Late)
        : new Countable(
            positioned.Position, positioned.Record.Kind, "", "", default, default, positioned.Record.Key, false);
}
