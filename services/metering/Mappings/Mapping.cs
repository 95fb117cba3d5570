using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Mappings;

/// <summary>Which aggregate of a counter is pushed. The numbers are on disk.</summary>
public enum Aggregation
{
    Sum = 1,
    Count = 2,
    Max = 3,
    Last = 4,
    Min = 5,
}

/// <summary>Which Stripe meter a metric of a tenant feeds.</summary>
public sealed record Mapping
{
    public required string Id { get; init; }

    public required string Metric { get; init; }

    public required Aggregation Aggregation { get; init; }

    /// <summary><c>acct_…</c>, or <c>default</c> for the account of the configured key.</summary>
    public required string StripeAccount { get; init; }

    /// <summary><c>price_…</c>; empty when only the meter is known.</summary>
    public string PriceId { get; init; } = "";

    /// <summary>When the price came about at Stripe; the epoch when only the meter is known.</summary>
    public Instant PriceBegan { get; init; }

    /// <summary><c>mtr_…</c>.</summary>
    public required string MeterId { get; init; }

    /// <summary>Event name of the meter, as read from Stripe when the mapping was made.</summary>
    public required string MeterEventName { get; init; }

    /// <summary>Payload key of the customer, as read from Stripe.</summary>
    public string MeterCustomerKey { get; init; } = "stripe_customer_id";

    /// <summary>Payload key of the value, as read from Stripe.</summary>
    public string MeterValueKey { get; init; } = "value";

    /// <summary>How the meter is told, by its formula and window as read from Stripe.</summary>
    public SinkKind Sink { get; init; }

    public string SubscriptionItemId { get; init; } = "";

    /// <summary>Three letters, lower case; empty when unknown.</summary>
    public string Currency { get; init; } = "";

    public bool Active { get; init; } = true;

    public bool Shadow { get; init; }

    public string ShadowStripeAccount { get; init; } = "";

    public string ShadowPriceId { get; init; } = "";

    public Instant ShadowPriceBegan { get; init; }

    public string ShadowSubscriptionItemId { get; init; } = "";

    /// <summary><c>mtr_…</c> in the test account; empty without shadow.</summary>
    public string ShadowMeterId { get; init; } = "";

    /// <summary>How that meter wants its events, as read from Stripe.</summary>
    public MeterNames ShadowMeter { get; init; }

    /// <summary>How a customer reference becomes a customer of the test account; null: as of the billed one.</summary>
    public CustomerRule? ShadowCustomers { get; init; }

    public CustomerRule Customers { get; init; } = new();

    public required Instant Created { get; init; }

    public required Instant Updated { get; init; }
}

/// <summary>How a customer reference becomes a Stripe customer.</summary>
public sealed record CustomerRule
{
    /// <summary>Written before a reference that is not in the table.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Reference to Stripe customer.</summary>
    public IReadOnlyDictionary<string, string> Table { get; init; } = new Dictionary<string, string>();

    /// <summary>Customers that are not in the table are not pushed.</summary>
    public bool TableOnly { get; init; }

    /// <summary>The Stripe customer of a reference; null if it is not to be pushed.</summary>
    public string? StripeCustomerOf(string customer)
    {
        ArgumentNullException.ThrowIfNull(customer);
        if (Table.TryGetValue(customer, out var stripeCustomer))
            return stripeCustomer;
        return TableOnly ? null : Prefix + customer;
    }

    /// <summary>The references that become a Stripe customer.</summary>
    public IEnumerable<string> ReferencesOf(string stripeCustomer)
    {
        ArgumentNullException.ThrowIfNull(stripeCustomer);
        foreach (var (reference, customer) in Table)
        {
            if (customer == stripeCustomer)
                yield return reference;
        }

        if (!TableOnly && stripeCustomer.Length > Prefix.Length && stripeCustomer.StartsWith(Prefix, StringComparison.Ordinal)
            && !Table.ContainsKey(stripeCustomer[Prefix.Length..]))
        {
            yield return stripeCustomer[Prefix.Length..];
        }
    }
}
