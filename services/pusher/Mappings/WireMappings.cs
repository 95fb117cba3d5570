using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Tenants;
using DomainAggregation = StripeMeter.Metering.Mappings.Aggregation;
using DomainMapping = StripeMeter.Metering.Mappings.Mapping;
using DomainRule = StripeMeter.Metering.Mappings.CustomerRule;

namespace StripeMeter.Pusher.Mappings;

/// <summary>Mappings as the API shows them. Aggregations have the same numbers there and on disk.</summary>
internal static class WireMappings
{
    public static V1.Mapping ToWire(this DomainMapping mapping, TenantId tenant)
    {
        var wire = new V1.Mapping
        {
            Id = mapping.Id, TenantId = tenant.Value, Metric = mapping.Metric, Aggregation = (V1.Aggregation)mapping.Aggregation,
            StripeAccount = mapping.StripeAccount, PriceId = mapping.PriceId, MeterId = mapping.MeterId,
            MeterEventName = mapping.MeterEventName, MeterCustomerKey = mapping.MeterCustomerKey,
            MeterValueKey = mapping.MeterValueKey, MeterSink = mapping.Sink.ToWire(), SubscriptionItemId = mapping.SubscriptionItemId, Currency = mapping.Currency,
            Active = mapping.Active, Shadow = mapping.Shadow, ShadowStripeAccount = mapping.ShadowStripeAccount,
            ShadowPriceId = mapping.ShadowPriceId, ShadowSubscriptionItemId = mapping.ShadowSubscriptionItemId,
            ShadowMeterId = mapping.ShadowMeterId, ShadowMeterEventName = mapping.ShadowMeter.EventName ?? "",
            ShadowMeterCustomerKey = mapping.ShadowMeter.CustomerKey ?? "", ShadowMeterValueKey = mapping.ShadowMeter.ValueKey ?? "",
            ShadowCustomerRule = mapping.ShadowCustomers?.ToWire(), CustomerRule = mapping.Customers.ToWire(),
            CreatedTime = mapping.Created.ToTimestamp(), UpdatedTime = mapping.Updated.ToTimestamp(),
        };
        if (mapping.ShadowMeterId.Length > 0)
            wire.ShadowMeterSink = mapping.ShadowMeter.Sink.ToWire();
        return wire;
    }

    private static V1.CustomerRule ToWire(this DomainRule rule)
    {
        var wire = new V1.CustomerRule { Prefix = rule.Prefix, TableOnly = rule.TableOnly };
        wire.Table.Add(rule.Table.ToDictionary());
        return wire;
    }

    private static DomainRule ToDomain(this V1.CustomerRule wire) => new()
    {
        Prefix = wire.Prefix, TableOnly = wire.TableOnly, Table = wire.Table.ToDictionary(StringComparer.Ordinal),
    };

    /// <summary>0 stands for nothing there, and for differences on disk.</summary>
    public static V1.MeterSink ToWire(this SinkKind sink) => (V1.MeterSink)((int)sink + 1);

    private static SinkKind ToDomain(this V1.MeterSink sink) =>
        sink == V1.MeterSink.Unspecified ? SinkKind.Deltas : (SinkKind)((int)sink - 1);

    public static DomainMapping ToDomain(this V1.Mapping wire, Metering.Time.Instant created, Metering.Time.Instant updated) => new()
    {
        Id = wire.Id, Metric = wire.Metric, Aggregation = (DomainAggregation)wire.Aggregation, StripeAccount = wire.StripeAccount,
        PriceId = wire.PriceId, MeterId = wire.MeterId, MeterEventName = wire.MeterEventName,
        MeterCustomerKey = wire.MeterCustomerKey, MeterValueKey = wire.MeterValueKey, Sink = wire.MeterSink.ToDomain(),
        SubscriptionItemId = wire.SubscriptionItemId, Currency = wire.Currency, Active = wire.Active, Shadow = wire.Shadow,
        ShadowStripeAccount = wire.ShadowStripeAccount, ShadowPriceId = wire.ShadowPriceId,
        ShadowSubscriptionItemId = wire.ShadowSubscriptionItemId,
        ShadowMeterId = wire.ShadowMeterId,
        ShadowMeter = wire.ShadowMeterId.Length == 0
            ? default
            : new MeterNames(wire.ShadowMeterEventName, wire.ShadowMeterCustomerKey, wire.ShadowMeterValueKey) { Sink = wire.ShadowMeterSink.ToDomain() },
        ShadowCustomers = wire.ShadowCustomerRule?.ToDomain(),
        Customers = wire.CustomerRule?.ToDomain() ?? new DomainRule(),
        Created = created, Updated = updated,
    };
}
