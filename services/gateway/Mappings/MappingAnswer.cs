using StripeMeter.Gateway.Requests;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Mappings;

/// <summary>Which Stripe meter a metric feeds.</summary>
/// <param name="Id">Given by the server.</param>
/// <param name="TenantId">The tenant.</param>
/// <param name="Metric">The metric.</param>
/// <param name="Aggregation">Which aggregate is pushed and billed: sum, count, max, last or min.</param>
/// <param name="StripeAccount">acct_…, or default for the account of the configured key.</param>
/// <param name="PriceId">price_…; empty when only the meter is known.</param>
/// <param name="MeterId">mtr_…</param>
/// <param name="MeterEventName">Event name of the meter.</param>
/// <param name="SubscriptionItemId">si_…; kept for older clients.</param>
/// <param name="Currency">Three letters.</param>
/// <param name="Active">Whether it is used.</param>
/// <param name="Shadow">Whether usage is also pushed to a Stripe test account.</param>
/// <param name="ShadowStripeAccount">acct_… of the test account, or default for the account of the configured test key.</param>
/// <param name="ShadowPriceId">price_… in the test account.</param>
/// <param name="ShadowMeterId">mtr_… in the test account.</param>
/// <param name="ShadowMeterEventName">Event name of that meter.</param>
/// <param name="ShadowSubscriptionItemId">si_… in the test account.</param>
/// <param name="Customers">How a customer reference becomes a Stripe customer.</param>
/// <param name="ShadowCustomers">How it becomes a customer of the test account; absent when as of the billed one.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="UpdatedAt">When it was changed last.</param>
public sealed record MappingAnswer(
    string Id, string TenantId, string Metric, string Aggregation, string StripeAccount, string PriceId, string MeterId,
    string MeterEventName, string SubscriptionItemId, string Currency, bool Active, bool Shadow, string ShadowStripeAccount,
    string ShadowPriceId, string ShadowMeterId, string ShadowMeterEventName, string ShadowSubscriptionItemId,
    MappedCustomers Customers, MappedCustomers? ShadowCustomers, string? CreatedAt, string? UpdatedAt)
{
    internal static MappingAnswer Of(Mapping mapping) => new(
        mapping.Id, mapping.TenantId, mapping.Metric, MappingWords.Of(mapping.Aggregation), mapping.StripeAccount,
        mapping.PriceId, mapping.MeterId, mapping.MeterEventName, mapping.SubscriptionItemId, mapping.Currency, mapping.Active,
        mapping.Shadow, mapping.ShadowStripeAccount, mapping.ShadowPriceId, mapping.ShadowMeterId,
        mapping.ShadowMeterEventName, mapping.ShadowSubscriptionItemId, MappedCustomers.Of(mapping.CustomerRule ?? new CustomerRule()),
        mapping.ShadowCustomerRule is { } shadow ? MappedCustomers.Of(shadow) : null,
        RestTime.Write(mapping.CreatedTime), RestTime.Write(mapping.UpdatedTime));
}

/// <summary>How a customer reference becomes a Stripe customer.</summary>
/// <param name="Prefix">Written before a reference that is not in the table.</param>
/// <param name="Table">Reference to Stripe customer.</param>
/// <param name="TableOnly">Push only customers that stand in the table.</param>
public sealed record MappedCustomers(string? Prefix, IReadOnlyDictionary<string, string>? Table, bool? TableOnly)
{
    internal static MappedCustomers Of(CustomerRule rule) => new(rule.Prefix, rule.Table, rule.TableOnly);
}

/// <summary>A mapping to be made or changed. When changing, absent members stay as they are and null clears.</summary>
/// <param name="TenantId">The tenant.</param>
/// <param name="Metric">The metric. Required to make a mapping.</param>
/// <param name="Aggregation">sum, count, max, last or min. Required to make a mapping.</param>
/// <param name="StripeAccount">acct_…, or default (the default) for the account of the configured key.</param>
/// <param name="PriceId">price_…; optional when the meter is named.</param>
/// <param name="MeterId">mtr_…; found from the price when absent.</param>
/// <param name="MeterEventName">Event name of the meter, another way to name it.</param>
/// <param name="SubscriptionItemId">si_…; kept for older clients.</param>
/// <param name="Currency">Three letters.</param>
/// <param name="Active">Whether it is used; true unless said otherwise.</param>
/// <param name="Shadow">Whether usage is also pushed to a Stripe test account. Needs a test key.</param>
/// <param name="ShadowStripeAccount">acct_… of the test account, or default (the default) for that of the configured test key.</param>
/// <param name="ShadowPriceId">price_… in the test account. Required with shadow unless its meter is named.</param>
/// <param name="ShadowMeterId">mtr_… in the test account; found from the price when absent.</param>
/// <param name="ShadowMeterEventName">Event name of that meter, another way to name it.</param>
/// <param name="ShadowSubscriptionItemId">si_… in the test account.</param>
/// <param name="Customers">How a customer reference becomes a Stripe customer; itself unless said otherwise.</param>
/// <param name="ShadowCustomers">How it becomes a customer of the test account; as of the billed one unless said otherwise.</param>
public sealed record MappingRequest(
    string TenantId, string? Metric, string? Aggregation, string? StripeAccount, string? PriceId, string? MeterId,
    string? MeterEventName, string? SubscriptionItemId, string? Currency, bool? Active, bool? Shadow,
    string? ShadowStripeAccount, string? ShadowPriceId, string? ShadowMeterId, string? ShadowMeterEventName,
    string? ShadowSubscriptionItemId, MappedCustomers? Customers, MappedCustomers? ShadowCustomers);
