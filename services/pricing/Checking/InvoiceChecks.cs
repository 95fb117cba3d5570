using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Pricing.Comparing;
using StripeMeter.Metering.Pricing.Invoicing;
using StripeMeter.Pricing.Prices;
using StripeMeter.Pricing.Projecting;
using StripeMeter.V1;

namespace StripeMeter.Pricing.Checking;

/// <summary>
/// Compares an invoice that Stripe wrote with the one that our counters and the mapped prices come to: by the same code that
/// projects and simulates.
/// </summary>
public sealed class InvoiceChecks(UsageService.UsageServiceClient usages, MappedPrices mapped, StripeInvoices invoices)
{
    public async Task<CheckInvoiceResponse> CheckAsync(CheckInvoiceRequest request, CancellationToken cancellation)
    {
        if (request.InvoiceId.Length == 0)
            throw RpcErrors.Invalid("invoice_id", "is required");
        if (!StripeReads.IsId(request.InvoiceId))
            throw RpcErrors.Invalid("invoice_id", "must be the id of an invoice, in_…");
        var account = request.StripeAccount.Length > 0 ? request.StripeAccount : StripeReads.OwnAccount;
        if (!StripeReads.IsId(account))
            throw RpcErrors.Invalid("stripe_account", $"must be an account id, acct_…, or {StripeReads.OwnAccount}");
        var reading = mapped.OfTenantAsync(request.TenantId, cancellation);
        var (lines, refusal) = await invoices.ReadAsync(account, request.InvoiceId, cancellation).ConfigureAwait(false);
        var active = (await reading.ConfigureAwait(false)).Where(found => found.Mapping.StripeAccount == account && found.Mapping.PriceId.Length > 0).ToArray();
        if (lines is null)
            throw RpcErrors.NotFound($"The invoice '{request.InvoiceId}' ({refusal})");

        var metrics = active.ToLookup(found => found.Mapping.PriceId, found => found.Mapping.Metric);
        var billed = lines.Where(line => metrics.Contains(line.PriceId)).ToArray();
        if (billed.Length == 0)
            throw RpcErrors.FailedPrecondition("NOTHING_TO_CHECK", $"The invoice '{request.InvoiceId}' bills no mapped metric.");
        var projection = await ExpectAsync(request, active, billed, cancellation).ConfigureAwait(false);
        return Answer(projection, billed, [.. billed.Select(line => line.Of(metrics[line.PriceId].First()))], lines);
    }

    private async Task<Projection> ExpectAsync(
        CheckInvoiceRequest request, MappedPrice[] active, StripeLine[] billed, CancellationToken cancellation)
    {
        var usage = await usages.GetCurrentUsageAsync(
            new GetCurrentUsageRequest { TenantId = request.TenantId, CustomerRef = request.CustomerRef, AtTime = billed.Min(line => line.Start).ToTimestamp() },
            cancellationToken: cancellation).ConfigureAwait(false);

        // A metric whose price is not on the invoice is billed elsewhere, unless it was used.
        var onInvoice = billed.Select(line => line.PriceId).ToHashSet();
        var used = usage.Counters.Select(counter => counter.Metric).ToHashSet();
        return Projection.Of(
            request.CustomerRef, usage, [.. active.Where(found => onInvoice.Contains(found.Mapping.PriceId) || used.Contains(found.Mapping.Metric))]);
    }

    private static CheckInvoiceResponse Answer(Projection projection, StripeLine[] checkedLines, BilledLine[] billed, IReadOnlyList<StripeLine> all)
    {
        var expected = projection.Bill(projection.Priced.Select(line => line.Item.Quantity), [])
            ?? throw RpcErrors.FailedPrecondition("UNPRICEABLE", string.Join("; ", projection.Lines.Select(line => $"{line.Metric}: {line.UnpricedReason}")));
        var response = new CheckInvoiceResponse
        {
            Currency = projection.Currency.Code,
            PeriodStart = projection.Period.Start.ToTimestamp(),
            PeriodEnd = projection.Period.End.ToTimestamp(),
            ExpectedTotal = expected.Subtotal,
            BilledTotal = billed.Sum(line => line.Amount),
        };
        response.Differences.AddRange(InvoiceComparison.Compare(expected, billed).Select(ToWire));
        response.UncheckedLineIds.AddRange(all.Except(checkedLines).Select(line => line.Id));
        response.Notes.AddRange(NotesOf(projection, expected, checkedLines));
        return response;
    }

    private static IEnumerable<string> NotesOf(Projection projection, Invoice expected, StripeLine[] billed)
    {
        foreach (var line in projection.Lines.Where(line => line.UnpricedReason.Length > 0))
            yield return $"{line.Metric} is not checked: {line.UnpricedReason}";
        if (billed.Any(line => line.Start != projection.Period.Start))
            yield return "The invoice bills other periods than the customer's usage is counted in.";
        if (billed.Any(line => line.Currency != projection.Currency.Code))
            yield return $"The invoice has lines in another currency than {projection.Currency}.";
        foreach (var note in expected.Notes)
            yield return note;
    }

    private static InvoiceDifference ToWire(LineDifference difference)
    {
        var wire = new InvoiceDifference { Metric = difference.Metric, LineId = difference.LineId ?? "", Explanation = difference.Explanation };
        if (difference.Expected is { } expected)
            wire.Expected = expected;
        if (difference.Billed is { } billed)
            wire.Billed = billed;
        return wire;
    }
}
