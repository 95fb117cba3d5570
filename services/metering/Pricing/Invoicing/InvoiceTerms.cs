using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pricing.Invoicing;

/// <summary>What happens to the sum of the lines. The order is Stripe's: discounts, commitments, credits, tax.</summary>
public sealed record InvoiceTerms
{
    public static InvoiceTerms None { get; } = new();

    /// <summary>Each takes from what the one before has left.</summary>
    public IReadOnlyList<Discount> Discounts { get; init; } = [];

    public IReadOnlyList<Commitment> Commitments { get; init; } = [];

    public IReadOnlyList<Credit> Credits { get; init; } = [];

    /// <summary>In percent, 0 to 100, at most four decimals as Stripe has them; on what is left to be paid.</summary>
    public decimal TaxRate { get; init; }

    public Rounding Rounding { get; init; }
}

/// <summary>A coupon: a percentage or an amount, never both.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="PercentOff">Above 0, at most 100, at most four decimals.</param>
/// <param name="AmountOff">Minor units. More than is left takes all that is left.</param>
public sealed record Discount(string Name, decimal? PercentOff = null, long? AmountOff = null);

/// <summary>An amount agreed on beforehand.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Amount">Minor units.</param>
public sealed record Commitment(string Name, long Amount)
{
    /// <summary>
    /// Whether it is a least amount, up to which the invoice is raised. Else it was paid beforehand, and is used up.
    /// </summary>
    public bool TrueUp { get; init; }

    /// <summary>Minor units that other invoices have used up; never raises a bill.</summary>
    public long Applied { get; init; }

    /// <summary>Inclusive; null without bound. It counts for a period that it overlaps.</summary>
    public Instant? Start { get; init; }

    /// <summary>Exclusive; null without bound.</summary>
    public Instant? End { get; init; }
}

/// <summary>Money given beforehand. Lower priorities go first, then what expires first, then as they stand (https://docs.stripe.com/billing/subscriptions/usage-based/billing-credits).</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Amount">Minor units.</param>
public sealed record Credit(string Name, long Amount)
{
    /// <summary>0 to 100; 0 goes first.</summary>
    public int Priority { get; init; } = 50;

    /// <summary>Null: always. It must have begun when the period ends.</summary>
    public Instant? EffectiveAt { get; init; }

    /// <summary>Null: never. It must not have expired when the period ends.</summary>
    public Instant? ExpiresAt { get; init; }
}
