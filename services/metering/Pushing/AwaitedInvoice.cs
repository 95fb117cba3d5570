using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pushing;

/// <summary>What Stripe said of an invoice that bills a period in which nothing was counted yet.</summary>
/// <param name="PeriodEnd">When the period ends.</param>
/// <param name="Invoice">When its invoice becomes final.</param>
public readonly record struct AwaitedInvoice(Instant PeriodEnd, InvoiceEnd Invoice)
{
    // Stripe's periods have seconds, ours may be cut at the minute.
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(1);

    /// <summary>Whether it is about the same invoice and period.</summary>
    public bool IsOf(AwaitedInvoice other) => (PeriodEnd, Invoice.Invoice) == (other.PeriodEnd, other.Invoice.Invoice);

    public bool Bills(BillingPeriod period) => (period.End - PeriodEnd).Duration() < Tolerance;
}
