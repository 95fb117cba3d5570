using StripeMeter.Metering.Mappings;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Storage.Mongo.Documents;

/// <summary>A mapping of a tenant.</summary>
internal sealed class MappingDocument
{
    public required string Id { get; init; }

    public required string Tenant { get; init; }

    public required string MappingId { get; init; }

    public required string Metric { get; init; }

    public required int Aggregation { get; init; }

    public required string StripeAccount { get; init; }

    public required string PriceId { get; init; }

    public required string MeterId { get; init; }

    public required string MeterEventName { get; init; }

    public required string MeterCustomerKey { get; init; }

    public required string MeterValueKey { get; init; }

    public int Sink { get; init; }

    public required string SubscriptionItemId { get; init; }

    public required string Currency { get; init; }

    public required bool Active { get; init; }

    public required bool Shadow { get; init; }

    public required string ShadowStripeAccount { get; init; }

    public required string ShadowPriceId { get; init; }

    public required string ShadowSubscriptionItemId { get; init; }

    public required string CustomerPrefix { get; init; }

    public required bool CustomerTableOnly { get; init; }

    public required CustomerEntry[] CustomerTable { get; init; }

    public required long Created { get; init; }

    public required long Updated { get; init; }

    public static MappingDocument Of(TenantId tenant, Mapping mapping) => new()
    {
        Id = DocumentId.Of(tenant, mapping.Id), Tenant = tenant.Value, MappingId = mapping.Id, Metric = mapping.Metric,
        Aggregation = (int)mapping.Aggregation, StripeAccount = mapping.StripeAccount, PriceId = mapping.PriceId,
        MeterId = mapping.MeterId, MeterEventName = mapping.MeterEventName, MeterCustomerKey = mapping.MeterCustomerKey,
        MeterValueKey = mapping.MeterValueKey, Sink = (int)mapping.Sink, SubscriptionItemId = mapping.SubscriptionItemId, Currency = mapping.Currency,
        Active = mapping.Active, Shadow = mapping.Shadow, ShadowStripeAccount = mapping.ShadowStripeAccount,
        ShadowPriceId = mapping.ShadowPriceId, ShadowSubscriptionItemId = mapping.ShadowSubscriptionItemId,
        CustomerPrefix = mapping.Customers.Prefix, CustomerTableOnly = mapping.Customers.TableOnly,
        CustomerTable = [.. mapping.Customers.Table.Select(entry => new CustomerEntry { Reference = entry.Key, StripeCustomer = entry.Value })],
        Created = mapping.Created.Ticks, Updated = mapping.Updated.Ticks,
    };

    public Mapping ToMapping() => new()
    {
        Id = MappingId, Metric = Metric, Aggregation = (Aggregation)Aggregation, StripeAccount = StripeAccount, PriceId = PriceId,
        MeterId = MeterId, MeterEventName = MeterEventName, MeterCustomerKey = MeterCustomerKey, MeterValueKey = MeterValueKey,
        Sink = (SinkKind)Sink, SubscriptionItemId = SubscriptionItemId, Currency = Currency, Active = Active, Shadow = Shadow,
        ShadowStripeAccount = ShadowStripeAccount, ShadowPriceId = ShadowPriceId,
        ShadowSubscriptionItemId = ShadowSubscriptionItemId,
        Customers = new CustomerRule
        {
            Prefix = CustomerPrefix, TableOnly = CustomerTableOnly,
            Table = CustomerTable.ToDictionary(entry => entry.Reference, entry => entry.StripeCustomer, StringComparer.Ordinal),
        },
        Created = new Instant(Created), Updated = new Instant(Updated),
    };
}

/// <summary>A line of the table of customers: references may hold what field names may not.</summary>
internal sealed class CustomerEntry
{
    public required string Reference { get; init; }

    public required string StripeCustomer { get; init; }
}
