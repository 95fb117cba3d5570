using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.V1;
using DomainCounter = StripeMeter.Metering.Counting.Counter;
using DomainVersion = StripeMeter.Metering.Counting.CounterVersion;

namespace StripeMeter.Defaults.Wire;

/// <summary>Counters as the API shows them and as an actor keeps them.</summary>
public static class WireCounters
{
    public static V1.Counter ToWire(this DomainCounter counter, TenantId tenant)
    {
        ArgumentNullException.ThrowIfNull(counter);
        var (aggregates, any) = (counter.Aggregates, counter.Aggregates.Count > 0);
        return new V1.Counter
        {
            TenantId = tenant.Value,
            Metric = counter.Key.Metric,
            CustomerRef = counter.Key.Customer,
            PeriodStart = counter.Period.Start.ToTimestamp(),
            PeriodEnd = counter.Period.End.ToTimestamp(),
            Sum = aggregates.Sum.ToString(),
            Count = aggregates.Count,
            Min = any ? aggregates.Min.ToString() : "",
            Max = any ? aggregates.Max.ToString() : "",
            Last = any ? aggregates.Last.ToString() : "",
            Watermark = any ? aggregates.LastTimestamp.ToTimestamp() : null,
            Version = new V1.CounterVersion
            {
                RecutPosition = counter.Version.RecutPosition,
                Position = counter.Version.Position,
            },
        };
    }

    /// <summary>A projected counter, with when it was counted.</summary>
    public static V1.Counter ToWire(this CounterRow row, TenantId tenant)
    {
        ArgumentNullException.ThrowIfNull(row);
        var counter = row.Counter.ToWire(tenant);
        counter.ProjectedTime = row.Projected.ToTimestamp();
        return counter;
    }

    public static CounterState ToState(this DomainCounter counter, string logId)
    {
        ArgumentNullException.ThrowIfNull(counter);
        var aggregates = counter.Aggregates;
        return new CounterState
        {
            LogId = logId,
            Metric = counter.Key.Metric,
            CustomerRef = counter.Key.Customer,
            PeriodStart = counter.Period.Start.Ticks,
            PeriodEnd = counter.Period.End.Ticks,
            Sum = aggregates.Sum.ToWire(),
            Count = aggregates.Count,
            Min = aggregates.Min.ToWire(),
            Max = aggregates.Max.ToWire(),
            Last = aggregates.Last.ToWire(),
            LastInstant = aggregates.LastTimestamp.Ticks,
            LastKey = aggregates.LastKey,
            RecutPosition = counter.Version.RecutPosition,
            Position = counter.Version.Position,
        };
    }

    public static DomainCounter ToCounter(this CounterState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var period = new BillingPeriod(new Instant(state.PeriodStart), new Instant(state.PeriodEnd));
        return new DomainCounter(
            new CounterKey(state.Metric, state.CustomerRef, period.Start),
            period,
            new Aggregates(
                Quantity.FromBytes(state.Sum.Span), state.Count, Quantity.FromBytes(state.Min.Span),
                Quantity.FromBytes(state.Max.Span), Quantity.FromBytes(state.Last.Span), new Instant(state.LastInstant),
                state.LastKey),
            new DomainVersion(state.RecutPosition, state.Position));
    }

    public static RecountInstall ToWire(this Recount recount)
    {
        ArgumentNullException.ThrowIfNull(recount);
        var message = new RecountInstall
        {
            LogId = recount.LogId,
            Metric = recount.Series.Metric,
            CustomerRef = recount.Series.Customer,
            RangeStart = recount.Range.Start.Ticks,
            RangeEnd = recount.Range.End.Ticks,
            Position = recount.Position,
        };
        message.Counters.AddRange(recount.Counters.Values.Select(counter => counter.ToState(recount.LogId)));
        return message;
    }

    public static Recount ToRecount(this RecountInstall message)
    {
        ArgumentNullException.ThrowIfNull(message);
        return new Recount(
            message.LogId, new EventSeries(message.CustomerRef, message.Metric),
            new BillingPeriod(new Instant(message.RangeStart), new Instant(message.RangeEnd)), message.Position,
            message.Counters.Select(state => state.ToCounter()).ToDictionary(counter => counter.Key.PeriodStart));
    }
}
