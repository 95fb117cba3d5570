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

    public long PriceBegan { get; init; }

    public long ShadowPriceBegan { get; init; }

    public string ShadowMeterId { get; init; } = "";

    public string ShadowMeterEventName { get; init; } = "";

    public string ShadowMeterCustomerKey { get; init; } = "";

    public string ShadowMeterValueKey { get; init; } = "";

    public int ShadowSink { get; init; }

    public CustomerRuleDocument? ShadowCustomers { get; init; }

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
        PriceBegan = mapping.PriceBegan.Ticks, ShadowPriceBegan = mapping.ShadowPriceBegan.Ticks,
        ShadowMeterId = mapping.ShadowMeterId, ShadowMeterEventName = mapping.ShadowMeter.EventName ?? "",
        ShadowMeterCustomerKey = mapping.ShadowMeter.CustomerKey ?? "", ShadowMeterValueKey = mapping.ShadowMeter.ValueKey ?? "",
        ShadowSink = (int)mapping.ShadowMeter.Sink,
        ShadowCustomers = mapping.ShadowCustomers is { } shadow ? CustomerRuleDocument.Of(shadow) : null,
        CustomerPrefix = mapping.Customers.Prefix, CustomerTableOnly = mapping.Customers.TableOnly,
        CustomerTable = CustomerEntry.Of(mapping.Customers.Table),
        Created = mapping.Created.Ticks, Updated = mapping.Updated.Ticks,
    };

    public Mapping ToMapping() => new()
    {
        Id = MappingId, Metric = Metric, Aggregation = (Aggregation)Aggregation, StripeAccount = StripeAccount, PriceId = PriceId,
        MeterId = MeterId, MeterEventName = MeterEventName, MeterCustomerKey = MeterCustomerKey, MeterValueKey = MeterValueKey,
        Sink = (SinkKind)Sink, SubscriptionItemId = SubscriptionItemId, Currency = Currency, Active = Active, Shadow = Shadow,
        ShadowStripeAccount = ShadowStripeAccount, ShadowPriceId = ShadowPriceId,
        ShadowSubscriptionItemId = ShadowSubscriptionItemId,
        PriceBegan = new Instant(PriceBegan), ShadowPriceBegan = new Instant(ShadowPriceBegan),
        ShadowMeterId = ShadowMeterId,
        ShadowMeter = ShadowMeterId.Length == 0
            ? default
            : new MeterNames(ShadowMeterEventName, ShadowMeterCustomerKey, ShadowMeterValueKey) { Sink = (SinkKind)ShadowSink },
        ShadowCustomers = ShadowCustomers?.ToRule(),
        Customers = new CustomerRule
        {
            Prefix = CustomerPrefix, TableOnly = CustomerTableOnly, Table = CustomerEntry.ToTable(CustomerTable),
        },
        Created = new Instant(Created), Updated = new Instant(Updated),
    };
}

/// <summary>How a customer reference becomes a customer of the test account.</summary>
internal sealed class CustomerRuleDocument
{
    public required string Prefix { get; init; }

    public required bool TableOnly { get; init; }

    public required CustomerEntry[] Table { get; init; }

    public static CustomerRuleDocument Of(CustomerRule rule) =>
        new() { Prefix = rule.Prefix, TableOnly = rule.TableOnly, Table = CustomerEntry.Of(rule.Table) };

    public CustomerRule ToRule() => new() { Prefix = Prefix, TableOnly = TableOnly, Table = CustomerEntry.ToTable(Table) };
}

/// <summary>A line of the table of customers: references may hold what field names may not.</summary>
internal sealed class CustomerEntry
{
    public required string Reference { get; init; }

    public required string StripeCustomer { get; init; }

    public static CustomerEntry[] Of(IReadOnlyDictionary<string, string> table) =>
        [.. table.Select(entry => new CustomerEntry { Reference = entry.Key, StripeCustomer = entry.Value })];

    public static Dictionary<string, string> ToTable(CustomerEntry[] table) =>
        table.ToDictionary(entry => entry.Reference, entry => entry.StripeCustomer, StringComparer.Ordinal);
}
