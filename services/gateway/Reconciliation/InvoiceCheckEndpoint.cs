using StripeMeter.Defaults.Access;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Identity;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Reconciliation;

/// <summary>An invoice of Stripe beside what it should say. Amounts are minor units.</summary>
/// <param name="InvoiceId">The invoice.</param>
/// <param name="Currency">ISO 4217, lower case.</param>
/// <param name="PeriodStart">Start of the billing period whose usage is billed, inclusive.</param>
/// <param name="PeriodEnd">Its end, exclusive.</param>
/// <param name="Matches">Whether it bills what was expected.</param>
/// <param name="Expected">What the mapped metrics should cost: the counters by the mapped prices.</param>
/// <param name="Billed">What the invoice bills for them.</param>
/// <param name="Differences">Where the two differ.</param>
/// <param name="UncheckedLineIds">Lines that are not about mapped metrics, such as licence fees.</param>
/// <param name="Notes">What is not certain.</param>
public sealed record InvoiceCheck(
    string InvoiceId, string Currency, string? PeriodStart, string? PeriodEnd, bool Matches, long Expected, long Billed,
    IReadOnlyList<InvoiceCheckDifference> Differences, IReadOnlyList<string> UncheckedLineIds, IReadOnlyList<string> Notes);

/// <summary>Where an invoice differs from what was expected.</summary>
/// <param name="Metric">The metric.</param>
/// <param name="LineId">The line. Absent when Stripe has none for what was expected.</param>
/// <param name="Expected">Absent when nothing was expected.</param>
/// <param name="Billed">Absent when nothing was billed.</param>
/// <param name="Explanation">How the expected amount comes about.</param>
public sealed record InvoiceCheckDifference(string Metric, string? LineId, long? Expected, long? Billed, string? Explanation);

/// <summary><c>GET /v1/reconciliation/invoices/{invoiceId}</c>.</summary>
internal static class InvoiceCheckEndpoint
{
    private static readonly TextParameter Account = new("stripeAccount", "acct_…; by default the account of the configured key.", 255);

    public static void MapInvoiceCheck(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/reconciliation/invoices/{invoiceId}", HandleAsync)
            .Describe(
                "Reconciliation", "CheckInvoice", "Compares an invoice of Stripe with what the counters and the mapped prices come to, line by line",
                CommonParameters.Tenant, CommonParameters.RequiredCustomer, Account)
            .Allows(AccessKind.Read, Scopes.ReconciliationRead)
            .Refuses(StatusCodes.Status404NotFound).Refuses(StatusCodes.Status422UnprocessableEntity);

    private static async Task<InvoiceCheck> HandleAsync(string invoiceId, HttpContext context, PricingService.PricingServiceClient pricing)
    {
        var query = new QueryReader(context);
        var request = new CheckInvoiceRequest
        {
            TenantId = query.Text(CommonParameters.Tenant),
            CustomerRef = query.Text(CommonParameters.RequiredCustomer),
            StripeAccount = query.Text(Account),
            InvoiceId = invoiceId,
        };
        query.Check();
        var check = await pricing.CheckInvoiceAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new InvoiceCheck(
            invoiceId, check.Currency, RestTime.Write(check.PeriodStart), RestTime.Write(check.PeriodEnd), check.Differences.Count == 0,
            check.ExpectedTotal, check.BilledTotal, [.. check.Differences.Select(ToAnswer)], check.UncheckedLineIds, check.Notes);
    }

    private static InvoiceCheckDifference ToAnswer(InvoiceDifference difference) => new(
        difference.Metric, difference.LineId.OrNull(), difference.HasExpected ? difference.Expected : null,
        difference.HasBilled ? difference.Billed : null, difference.Explanation.OrNull());
}
