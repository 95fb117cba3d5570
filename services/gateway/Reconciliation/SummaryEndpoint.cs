using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Wire;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Time;
using StripeMeter.V1;
using ReconciliationCalls = StripeMeter.V1.ReconciliationService.ReconciliationServiceClient;

namespace StripeMeter.Gateway.Reconciliation;

/// <summary>
/// Sums of what was compared, in two forms: over months by metric, and, where <c>period</c> is given, how one month stands.
/// </summary>
internal static class SummaryEndpoint
{
    private const string Total = "TOTAL";
    private const decimal CriticalFraction = 0.05m;
    private const int MonthLength = 7;
    private static readonly TextParameter Period = new("period", "One month, such as 2026-01: asks for the second form.", MonthLength);
    private static readonly TextParameter First = new("periodStart", "The first month, such as 2026-01. Required unless period is given.", MonthLength);
    private static readonly TextParameter Last = new("periodEnd", "The last month, inclusive. Required unless period is given.", MonthLength);
    private static readonly ChoiceParameter<bool> Format = new("format", "How the answer is written.", [("json", false), ("csv", true)]) { DefaultWord = "json" };

    public static void MapSummary(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/reconciliation/summary", SummarizeAsync).Describe(
            "Reconciliation", "SummarizeReconciliation", "Sums of what Stripe should have and has, by metric; or, with period, how one month stands",
            CommonParameters.Tenant, First, Last, Format, Period, CommonParameters.Metric, CommonParameters.Customer)
            .Allows(AccessKind.Read, Scopes.ReconciliationRead)
            .Produces<ReconciliationSummary>()
            .AnswersAlso<ParitySummary>()
            .AnswersAlsoCsv("metric,local,stripe,drift_abs,drift_pct,items\napi_calls,12.8,12.8,0,0,1\nTOTAL,12.8,12.8,0,0,1\n");

    private static async Task<IResult> SummarizeAsync(HttpContext context, ReconciliationCalls reconciliation)
    {
        var query = new QueryReader(context);
        var request = new SummarizeReconciliationRequest
        {
            TenantId = query.Text(CommonParameters.Tenant), Metric = query.Text(CommonParameters.Metric), CustomerRef = query.Text(CommonParameters.Customer),
        };
        var (period, first, last, isCsv) = (query.Text(Period), query.Text(First), query.Text(Last), query.Read(Format));
        var (start, end) = period.Length > 0 ? Months(query, Period, period, Period, period) : Months(query, First, first, Last, last);
        query.Check();
        (request.StartTime, request.EndTime) = (start.ToTimestamp(), end.ToTimestamp());
        var sums = await reconciliation.SummarizeReconciliationAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        if (period.Length > 0)
            return TypedResults.Ok(await ToParityAsync(period, request, sums, context, reconciliation).ConfigureAwait(false));
        return isCsv
            ? TypedResults.Text(ToCsv(sums), CsvText.ContentType)
            : TypedResults.Ok(new ReconciliationSummary(first, last, [.. sums.Metrics.Select(MetricSum.Of)], ToOverall(sums)));
    }

    private static (Instant Start, Instant End) Months(QueryReader query, TextParameter first, string firstText, TextParameter last, string lastText)
    {
        var isFirst = MonthText.TryRead(firstText, out var start, out _);
        var isLast = MonthText.TryRead(lastText, out var lastStart, out var end);
        if (!isFirst)
            query.Add(first.Name, firstText.Length == 0 ? "is required" : MonthText.Reason);
        if (!isLast && last != first)
            query.Add(last.Name, lastText.Length == 0 ? "is required" : MonthText.Reason);
        if (isFirst && isLast && lastStart < start)
            query.Add(last.Name, $"must not be before {first.Name}");
        return (start, end);
    }

    private static OverallSum ToOverall(SummarizeReconciliationResponse sums) => new(
        new(sums.Overall.ExpectedTotal), new(sums.Overall.StripeTotal), new(sums.Overall.InFlight), new(sums.Overall.DriftAbs),
        new(sums.Overall.DriftFraction), sums.Metrics.Count, sums.Overall.ItemCount);

    private static string ToCsv(SummarizeReconciliationResponse sums) =>
        CsvText.Row("metric", "local", "stripe", "drift_abs", "drift_pct", "items")
        + string.Concat(sums.Metrics.Select(sum => Row(sum.Metric, sum))) + Row(Total, sums.Overall);

    private static string Row(string name, ReconciliationSum sum) => CsvText.Row(
        name, sum.ExpectedTotal, sum.StripeTotal, sum.DriftAbs, sum.DriftFraction, sum.ItemCount.ToString(System.Globalization.CultureInfo.InvariantCulture));

    private static async Task<ParitySummary> ToParityAsync(
        string period, SummarizeReconciliationRequest request, SummarizeReconciliationResponse sums, HttpContext context, ReconciliationCalls reconciliation)
    {
        var overall = sums.Overall;
        var fraction = decimal.Parse(overall.DriftFraction, System.Globalization.CultureInfo.InvariantCulture);
        var status = overall.ReportCount == 0 ? "reconciliation_needed"
            : fraction > CriticalFraction ? "drift_critical"
            : overall.InvestigateCount > 0 ? "drift_detected" : "parity";
        return new ParitySummary(
            request.TenantId, request.Metric.OrNull(), request.CustomerRef.OrNull(), period, status,
            new ParityCounters(
                overall.ReportCount == 1 ? await BeforeAsync(request, context, reconciliation).ConfigureAwait(false) : null,
                new ParityState(new(overall.ExpectedTotal), new(overall.StripeTotal), new(overall.DriftAbs))));
    }

    /// <summary>What the one report said before it last changed.</summary>
    private static async Task<ParityState?> BeforeAsync(SummarizeReconciliationRequest request, HttpContext context, ReconciliationCalls reconciliation)
    {
        var list = new ListReconciliationReportsRequest
        {
            TenantId = request.TenantId, StartTime = request.StartTime, EndTime = request.EndTime, Metric = request.Metric, CustomerRef = request.CustomerRef,
        };
        while (true)
        {
            var page = await reconciliation.ListReconciliationReportsAsync(list, cancellationToken: context.RequestAborted).ConfigureAwait(false);
            if (page.Reports.Count > 0)
            {
                var history = await reconciliation.ListReconciliationHistoryAsync(
                    new ListReconciliationHistoryRequest { TenantId = request.TenantId, ReportId = page.Reports[0].Id },
                    cancellationToken: context.RequestAborted).ConfigureAwait(false);
                return history.Reports.Count == 0 ? null : new ParityState(
                    new(history.Reports[0].ExpectedTotal), new(history.Reports[0].StripeTotal), new(ReconciliationWords.Magnitude(history.Reports[0].Drift)));
            }

            if (page.NextPageToken.Length == 0)
                return null;
            list.PageToken = page.NextPageToken;
        }
    }
}
