using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pushing;

/// <summary>When an invoice that bills a period becomes final, as Stripe said when it was asked.</summary>
/// <param name="Invoice">Id of the invoice, <c>in_…</c>.</param>
/// <param name="Final">When it becomes, or became, final.</param>
/// <param name="Asked">When Stripe was asked: of two answers about an invoice the later one holds, whichever is entered last.</param>
public readonly record struct InvoiceEnd(string Invoice, Instant Final, Instant Asked);
