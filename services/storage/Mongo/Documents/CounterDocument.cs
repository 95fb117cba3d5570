using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Storage.Mongo.Documents;

/// <summary>A counter's row. Its id says nothing: it is unique by tenant, metric, customer and start of the period.</summary>
internal sealed class CounterDocument
{
    public required string Tenant { get; init; }

    public required string Metric { get; init; }

    public required string Customer { get; init; }

    public required long PeriodStart { get; init; }

    public required long PeriodEnd { get; init; }

    public required byte[] Sum { get; init; }

    public required long Count { get; init; }

    public required byte[] Min { get; init; }

    public required byte[] Max { get; init; }

    public required byte[] Last { get; init; }

    public required long LastTimestamp { get; init; }

    public required string LastKey { get; init; }

    public required long RecutPosition { get; init; }

    public required long Position { get; init; }

    public required int Shard { get; init; }

    public required string LogId { get; init; }

    public required long Projected { get; init; }

    /// <summary>Since when the row is to be pushed; not there when it is not.</summary>
    public long? DirtySince { get; init; }

    public static CounterDocument Of(TenantId tenant, CounterRow row)
    {
        var (key, period, aggregates, version) = (row.Counter.Key, row.Counter.Period, row.Counter.Aggregates, row.Counter.Version);
        return new CounterDocument
        {
            Tenant = tenant.Value, Metric = key.Metric, Customer = key.Customer, PeriodStart = key.PeriodStart.Ticks,
            PeriodEnd = period.End.Ticks, Sum = aggregates.Sum.ToBytes(), Count = aggregates.Count, Min = aggregates.Min.ToBytes(),
            Max = aggregates.Max.ToBytes(), Last = aggregates.Last.ToBytes(), LastTimestamp = aggregates.LastTimestamp.Ticks,
            LastKey = aggregates.LastKey, RecutPosition = version.RecutPosition, Position = version.Position, Shard = row.Shard,
            LogId = row.LogId, Projected = row.Projected.Ticks,
        };
    }

    public CounterRow ToRow()
    {
        var period = new BillingPeriod(new Instant(PeriodStart), new Instant(PeriodEnd));
        var aggregates = new Aggregates(
            Quantity.FromBytes(Sum), Count, Quantity.FromBytes(Min), Quantity.FromBytes(Max), Quantity.FromBytes(Last),
            new Instant(LastTimestamp), LastKey);
        var counter = new Counter(
            new CounterKey(Metric, Customer, period.Start), period, aggregates, new CounterVersion(RecutPosition, Position));
        return new CounterRow(counter, Shard, LogId, new Instant(Projected));
    }
}
