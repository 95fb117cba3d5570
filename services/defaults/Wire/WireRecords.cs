using Google.Protobuf;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;
using StripeMeter.V1;

namespace StripeMeter.Defaults.Wire;

/// <summary>Records and ranges as the messages of <c>messages.proto</c>.</summary>
public static class WireRecords
{
    public static AppendedRecord ToWire(this Countable record) => new()
    {
        Kind = (int)record.Kind,
        Metric = record.Metric,
        CustomerRef = record.Customer,
        Quantity = ToWire(record.Quantity),
        Instant = record.Timestamp.Ticks,
        Key = record.Key,
        Late = record.Late,
        Session = record.Session,
        Control = record.Control?.ToWire(),
    };

    public static UsageAppended ToWire(this RecordRange range, ShardId shard)
    {
        ArgumentNullException.ThrowIfNull(range);
        var message = new UsageAppended
        {
            TenantId = shard.Tenant.Value,
            Shard = shard.Shard,
            LogId = range.LogId,
            FirstPosition = range.First,
        };
        message.Records.Capacity = range.Records.Count;
        foreach (var record in range.Records)
            message.Records.Add(record.ToWire());
        return message;
    }

    /// <summary>Whether a message says what a range is, and no broken sender or later version put something else into it.</summary>
    public static bool IsRange(this UsageAppended message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return message is { Shard: >= 0 and < Shards.MaximumCount, FirstPosition: > 0, Records.Count: > 0 }
            && message.FirstPosition <= long.MaxValue - message.Records.Count && message.Records.All(IsRecord);
    }

    /// <exception cref="ArgumentException">The message is empty or malformed.</exception>
    public static RecordRange ToRange(this UsageAppended message)
    {
        ArgumentNullException.ThrowIfNull(message);
        var records = new Countable[message.Records.Count];
        for (var index = 0; index < records.Length; index++)
        {
            var record = message.Records[index];
            records[index] = new Countable(
                message.FirstPosition + index, (RecordKind)record.Kind, record.Metric, record.CustomerRef,
                Quantity.FromBytes(record.Quantity.Span), new Instant(record.Instant), record.Key, record.Late, record.Session,
                record.Control is null ? null : ToControl(record));
        }

        return new RecordRange(message.LogId, records);
    }

    private static bool IsRecord(AppendedRecord record) =>
        record.Quantity.Length == Quantity.BytesLength && (RecordKind)record.Kind switch
        {
            RecordKind.Event or RecordKind.Junk => record.Control is null,
            RecordKind.AnchorChanged => record.Control is { } change && new PeriodAnchor(change.AnchorDay, change.AnchorMinute).IsValid,
            var kind => Enum.IsDefined(kind) && record.Control is { AnchorDay: 0 },
        };

    private static AppendedControl ToWire(this ControlBody control) => new()
    {
        Subject = control.Subject,
        AnchorDay = control.Anchor?.Day ?? 0,
        AnchorMinute = control.Anchor?.Minute ?? 0,
        ClosedBefore = control.ClosedBefore.Ticks,
        Actor = control.Actor,
    };

    private static ControlBody ToControl(AppendedRecord record) => new()
    {
        Subject = record.Control.Subject,
        Metric = record.Metric,
        Customer = record.CustomerRef,
        Quantity = Quantity.FromBytes(record.Quantity.Span),
        At = new Instant(record.Instant),
        Anchor = record.Control.AnchorDay == 0 ? null : new PeriodAnchor(record.Control.AnchorDay, record.Control.AnchorMinute),
        ClosedBefore = new Instant(record.Control.ClosedBefore),
        Actor = record.Control.Actor,
    };

    public static ByteString ToWire(this Quantity quantity) => UnsafeByteOperations.UnsafeWrap(quantity.ToBytes());
}
