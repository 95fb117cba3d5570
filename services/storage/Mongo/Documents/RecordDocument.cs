using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Storage.Mongo.Documents;

/// <summary>A record of a shard log. Junk has no event, and so none of the fields from <see cref="Metric"/> on.</summary>
internal sealed class RecordDocument
{
    public required string Id { get; init; }

    public required string Tenant { get; init; }

    public required int Shard { get; init; }

    public required long Position { get; init; }

    public required int Space { get; init; }

    public required string Key { get; init; }

    public required int Kind { get; init; }

    public required long Received { get; init; }

    public required bool Late { get; init; }

    public byte[]? Fingerprint { get; init; }

    public string? Metric { get; init; }

    public string? Customer { get; init; }

    public string? Resource { get; init; }

    /// <summary>Sixteen bytes; see <see cref="Metering.Quantities.Quantity.WriteBytes"/>.</summary>
    public byte[]? Quantity { get; init; }

    public long Timestamp { get; init; }

    public string? Meta { get; init; }

    public int Source { get; init; }

    public static RecordDocument Of(TenantId tenant, int shard, PositionedRecord positioned)
    {
        var (record, usage) = (positioned.Record, positioned.Record.Event);
        return new RecordDocument
        {
            Id = DocumentId.Of(tenant, shard, positioned.Position), Tenant = tenant.Value, Shard = shard,
            Position = positioned.Position, Space = (int)record.Space, Key = record.Key, Kind = (int)record.Kind,
            Received = record.Received.Ticks, Late = record.Late, Fingerprint = usage is null ? null : record.Fingerprint.ToBytes(),
            Metric = usage?.Metric, Customer = usage?.Customer, Resource = usage is { Resource.Length: > 0 } ? usage.Resource : null,
            Quantity = usage?.Quantity.ToBytes(), Timestamp = usage?.Timestamp.Ticks ?? 0,
            Meta = usage is { Meta.Length: > 0 } ? usage.Meta : null, Source = (int)(usage?.Source ?? 0),
        };
    }

    public KnownRecord ToKnown() => new(Shard, Position, ReadFingerprint(), Late);

    public Countable ToCountable() => Metric is null
        ? new Countable(Position, (RecordKind)Kind, "", "", default, default, Key, false)
        : new Countable(
            Position, (RecordKind)Kind, Metric, Customer!, Metering.Quantities.Quantity.FromBytes(Quantity), new Instant(Timestamp), Key, Late);

    public LedgerEntry ToEntry()
    {
        var usage = new UsageEvent(
            Metric!, Customer!, Resource ?? "", Metering.Quantities.Quantity.FromBytes(Quantity), new Instant(Timestamp), Meta ?? "",
            (EventSource)Source);
        var record = new LedgerRecord(
            (KeySpace)Space, Key, (RecordKind)Kind, ReadFingerprint(), usage, new Instant(Received), Late);
        return new LedgerEntry(Shard, Position, record);
    }

    private Fingerprint ReadFingerprint() => Fingerprint is null ? default : Metering.Events.Fingerprint.FromBytes(Fingerprint);
}
