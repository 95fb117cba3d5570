using Stripe;
using StripeMeter.Metering.Pricing.Comparing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;
using StripeMeter.Pricing.Prices;

namespace StripeMeter.Pricing.Checking;

/// <summary>Reads invoices from Stripe.</summary>
public sealed class StripeInvoices(StripeAccess access)
{
    private const int PageSize = 100;

    /// <summary>Most lines of an invoice that is read.</summary>
    private const int MaximumLines = 10_000;

    /// <returns>The lines; null when Stripe does not show the invoice, with the reason.</returns>
    /// <exception cref="Grpc.Core.RpcException">Stripe does not answer now.</exception>
    public async Task<(IReadOnlyList<StripeLine>? Lines, string? Refusal)> ReadAsync(string account, string invoiceId, CancellationToken cancellation)
    {
        if (access.ClientOf(account) is not { } stripe)
            return (null, "no Stripe key is configured");
        var lines = new List<StripeLine>();
        var listing = new InvoiceLineItemListOptions { Limit = PageSize };
        StripeList<InvoiceLineItem>? page;
        do
        {
            (page, var refusal) = await StripeReads.AskAsync(
                $"invoice {invoiceId}",
                () => stripe.V1.Invoices.LineItems.ListAsync(invoiceId, listing, access.OptionsOf(account), cancellation), cancellation).ConfigureAwait(false);
            if (page is null)
                return (null, refusal);
            lines.AddRange(page.Select(StripeLine.Of));
            listing.StartingAfter = lines.Count > 0 ? lines[^1].Id : null;
        }
        while (page.HasMore && lines.Count < MaximumLines);
        return (lines, null);
    }
}

/// <summary>A line of an invoice of Stripe.</summary>
/// <param name="Id">il_…</param>
/// <param name="PriceId">The price; empty for what has none.</param>
/// <param name="Currency">ISO 4217, lower case.</param>
/// <param name="Quantity">What it bills.</param>
/// <param name="Amount">Minor units.</param>
/// <param name="Start">Start of the period it bills.</param>
public sealed record StripeLine(string Id, string PriceId, string Currency, Quantity Quantity, long Amount, Instant Start)
{
    public BilledLine Of(string metric) => new(Id, metric, Quantity, Amount);

    internal static StripeLine Of(InvoiceLineItem line) => new(
        line.Id, line.Pricing?.PriceDetails?.PriceId ?? "", line.Currency, QuantityOf(line), line.Amount,
        Instant.Of(new DateTimeOffset(DateTime.SpecifyKind(line.Period.Start, DateTimeKind.Utc))));

    /// <summary>With decimals where Stripe shows them; <c>quantity</c> has none.</summary>
    private static Quantity QuantityOf(InvoiceLineItem line) => line.QuantityDecimal is { } exact
        ? Quantity.Parse(exact.ToString(System.Globalization.CultureInfo.InvariantCulture))
        : Quantity.FromInteger(line.Quantity ?? 0);
}
