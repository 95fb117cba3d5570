using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pricing.Prices;

namespace StripeMeter.Metering.Pricing.Invoicing;

/// <summary>An invoice as Stripe would write it. All amounts are minor units of the currency.</summary>
/// <param name="Customer">The customer.</param>
/// <param name="Period">The billing period.</param>
/// <param name="Currency">The one currency of all amounts.</param>
/// <param name="Lines">What was bought.</param>
/// <param name="Steps">What happened to the sum of the lines, in this order.</param>
public sealed record Invoice(
    string Customer, BillingPeriod Period, Currency Currency, IReadOnlyList<InvoiceLine> Lines, IReadOnlyList<InvoiceStep> Steps)
{
    /// <summary>Sum of the lines.</summary>
    public required long Subtotal { get; init; }

    /// <summary>What is to be paid: the subtotal and all steps.</summary>
    public required long Total { get; init; }

    public Rounding Rounding { get; init; }

    /// <summary>What is not certain of the figures.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>What discounts took; not below 0.</summary>
    public long Discounts => -SumOf(InvoiceStepKind.Discount);

    /// <summary>What credits and prepaid commitments took; not below 0.</summary>
    public long Credits => -checked(SumOf(InvoiceStepKind.Credit) + SumOf(InvoiceStepKind.Commitment));

    public long Tax => SumOf(InvoiceStepKind.Tax);

    public long SumOf(InvoiceStepKind kind) => Steps.Where(step => step.Kind == kind).Sum(step => step.Amount);
}

/// <summary>A line: one item by one price.</summary>
/// <param name="Item">What is billed.</param>
/// <param name="Priced">How its amount comes about.</param>
/// <param name="Share">How much of the period is billed; whole for metered usage.</param>
public sealed record InvoiceLine(UsageItem Item, PricedUsage Priced, PeriodShare Share)
{
    public string Metric => Item.Metric;

    public long Amount => Priced.Amount;
}

/// <summary>What a step between the subtotal and the total is.</summary>
public enum InvoiceStepKind
{
    Discount,
    TrueUp,
    Commitment,
    Credit,
    Tax,
}

/// <summary>A step between the subtotal and the total.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Name">The discount, commitment or credit; the rate of a tax.</param>
/// <param name="Amount">Minor units; negative when it takes away.</param>
/// <param name="Base">What it was computed on.</param>
public sealed record InvoiceStep(InvoiceStepKind Kind, string Name, long Amount, long Base);
