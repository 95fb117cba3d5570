using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Storage.Documents;

namespace StripeMeter.Storage.Mongo.Documents;

/// <summary>A record of a shard log. Junk has none of the fields from <see cref="Metric"/> on.</summary>
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

    public string? Session { get; init; }

    /// <summary>Of a control record what it says, as JSON; its metric and customer, if it has any, stand beside as those of events do.</summary>
    public string? Control { get; init; }

    public static RecordDocument Of(TenantId tenant, int shard, PositionedRecord positioned)
    {
        var (record, usage) = (positioned.Record, positioned.Record.Event);
        return new RecordDocument
        {
            Id = DocumentId.Of(tenant, shard, positioned.Position), Tenant = tenant.Value, Shard = shard,
            Position = positioned.Position, Space = (int)record.Space, Key = record.Key, Kind = (int)record.Kind,
            Received = record.Received.Ticks, Late = record.Late, Fingerprint = usage is null ? null : record.Fingerprint.ToBytes(),
            Metric = record.Customer.Length > 0 ? record.Metric : null, Customer = record.Customer.Length > 0 ? record.Customer : null, Resource = usage is { Resource.Length: > 0 } ? usage.Resource : null,
            Quantity = usage?.Quantity.ToBytes(), Timestamp = record.Timestamp.Ticks,
            Meta = usage is { Meta.Length: > 0 } ? usage.Meta : null, Source = (int)(usage?.Source ?? 0),
            Session = record.Session.Length > 0 ? record.Session : null,
            Control = record.Control is { } control ? ControlJson.Write(control) : null,
        };
    }

    public KnownRecord ToKnown() => new(Shard, Position, ReadFingerprint(), Late);

    public Countable ToCountable() => Kind switch
    {
        (int)RecordKind.Event => new Countable(
            Position, RecordKind.Event, Metric!, Customer!, Metering.Quantities.Quantity.FromBytes(Quantity), new Instant(Timestamp), Key,
            Late, Session ?? ""),
        _ when Control is not null => Countable.OfControl(Position, (RecordKind)Kind, Key, ControlJson.Read(Control)),
        _ => new Countable(Position, (RecordKind)Kind, "", "", default, default, Key, false),
    };

    public LedgerEntry ToEntry() => new(Shard, Position, ToRecord());

    private LedgerRecord ToRecord()
    {
        var usage = Kind != (int)RecordKind.Event ? null : new UsageEvent(
            Metric!, Customer!, Resource ?? "", Metering.Quantities.Quantity.FromBytes(Quantity), new Instant(Timestamp), Meta ?? "",
            (EventSource)Source);
        return new LedgerRecord((KeySpace)Space, Key, (RecordKind)Kind, ReadFingerprint(), usage, new Instant(Received), Late)
        {
            Session = Session ?? "", Control = Control is null ? null : ControlJson.Read(Control),
        };
    }

    private Fingerprint ReadFingerprint() => Fingerprint is null ? default : Metering.Events.Fingerprint.FromBytes(Fingerprint);
}
