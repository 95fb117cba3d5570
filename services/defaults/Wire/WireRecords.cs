using Google.Protobuf;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
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
                Quantity.FromBytes(record.Quantity.Span), new Instant(record.Instant), record.Key, record.Late);
        }

        return new RecordRange(message.LogId, records);
    }

    public static ByteString ToWire(this Quantity quantity) => UnsafeByteOperations.UnsafeWrap(quantity.ToBytes());
}
