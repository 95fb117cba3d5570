using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Wire;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Identity;
using StripeMeter.V1;
using ReconciliationCalls = StripeMeter.V1.ReconciliationService.ReconciliationServiceClient;

namespace StripeMeter.Gateway.Reconciliation;

/// <summary>Comparing the ledger with Stripe: run, read, apply.</summary>
internal static class ReconciliationEndpoints
{
    private const string Path = "/v1/reconciliation";
    private const string Tag = "Reconciliation";
    private const string Actor = "api:reconciliation";
    private const int PageReports = 1_000;
    private static readonly HashSet<string> RunMembers = ["tenantId", "full"];
    private static readonly HashSet<string> ApplyMembers = ["tenantId", "adjustmentIds", "reason"];
    private static readonly IntegerParameter Limit = CommonParameters.Limit(PageReports, 100);
    private static readonly TextParameter ReportId = new("reportId", "The report.", 512) { Required = true };
    private static readonly ChoiceParameter<bool> Format = new("format", "How the answer is written.", [("json", false), ("csv", true)]) { DefaultWord = "json" };

    private static readonly ChoiceParameter<ReconciliationStatus> Status =
        new("status", "Only reports of this status.", ReconciliationWords.Statuses);

    public static void MapReconciliation(this IEndpointRouteBuilder routes)
    {
        routes.MapPost(Path + "/run", RunAsync).Describe(Tag, "RunReconciliation", "Compares a tenant's periods with Stripe, behind the answer")
            .Allows(AccessKind.Change, Scopes.ReconciliationWrite)
            .Takes<ReconciliationRequest>();
        routes.MapGet(Path + "/runs/{jobId}", GetRunAsync).Describe(Tag, "GetReconciliationRun", "How a comparison stands", CommonParameters.Tenant)
            .Allows(AccessKind.Read, Scopes.ReconciliationRead)
            .Refuses(StatusCodes.Status404NotFound);
        routes.MapGet(Path + "/{period}", ListAsync).Describe(
            Tag, "ListReconciliationReports", "How the billing periods stand that start in a month, such as 2026-01",
            CommonParameters.Tenant, CommonParameters.Metric, CommonParameters.Customer, Status, Format, Limit, CommonParameters.Cursor)
            .Allows(AccessKind.Read, Scopes.ReconciliationRead)
            .Produces<ReportPage>()
            .AnswersAlsoCsv("subscription_item_id,period,local,stripe,drift_abs,drift_pct,status\nmtr_1/cus_01,2026-01,12.8,12.8,0,0,ok\n");
        routes.MapGet(Path + "/history", HistoryAsync).Describe(
            Tag, "ListReconciliationHistory", "What a report said before, the newest first", CommonParameters.Tenant, ReportId)
            .Allows(AccessKind.Read, Scopes.ReconciliationRead);
        routes.MapSummary();
        routes.MapPost(Path + "/adjustments", ApplyAsync)
            .Describe(Tag, "ApplySuggestions", "Makes suggestions into approved adjustments, and approves pending ones")
            .Allows(AccessKind.Change, Scopes.ReconciliationWrite, isPartRequired: true)
            .Takes<ApplyRequest>();
    }

    private static async Task<Accepted<ReconciliationStarted>> RunAsync(HttpContext context, ReconciliationCalls reconciliation, GatewayOptions options)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, RunMembers).ConfigureAwait(false);
        var request = new RunReconciliationRequest { TenantId = body.Tenant(), Full = body.Flag("full") ?? false };
        body.Check();
        var started = await reconciliation.RunReconciliationAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        var address = $"{Path}/runs/{Uri.EscapeDataString(started.Run.Id)}?tenantId={Uri.EscapeDataString(request.TenantId)}";
        return TypedResults.Accepted(address, new ReconciliationStarted("The comparison has been recorded and will be made.", started.Run.Id));
    }

    private static async Task<ReconciliationProgress> GetRunAsync(string jobId, HttpContext context, ReconciliationCalls reconciliation)
    {
        var query = new QueryReader(context);
        var request = new GetReconciliationRunRequest { TenantId = query.Text(CommonParameters.Tenant), RunId = jobId };
        query.Check();
        var found = await reconciliation.GetReconciliationRunAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return ReconciliationProgress.Of(found.Run);
    }

    private static async Task<IResult> ListAsync(string period, HttpContext context, ReconciliationCalls reconciliation)
    {
        var query = new QueryReader(context);
        if (!MonthText.TryRead(period, out var start, out var end))
            query.Add("period", MonthText.Reason);
        var request = new ListReconciliationReportsRequest
        {
            TenantId = query.Text(CommonParameters.Tenant),
            StartTime = start.ToTimestamp(),
            EndTime = end.ToTimestamp(),
            Metric = query.Text(CommonParameters.Metric),
            CustomerRef = query.Text(CommonParameters.Customer),
            Status = query.Read(Status),
            PageSize = query.Read(Limit),
            PageToken = query.Text(CommonParameters.Cursor),
        };
        var isCsv = query.Read(Format);
        query.Check();
        return isCsv
            ? await WriteCsvAsync(period, request, context, reconciliation).ConfigureAwait(false)
            : TypedResults.Ok(await ReadPageAsync(period, request, context, reconciliation).ConfigureAwait(false));
    }

    private static async Task<ReportPage> ReadPageAsync(
        string period, ListReconciliationReportsRequest request, HttpContext context, ReconciliationCalls reconciliation)
    {
        var page = await reconciliation.ListReconciliationReportsAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        var sums = await reconciliation.SummarizeReconciliationAsync(
            new SummarizeReconciliationRequest
            {
                TenantId = request.TenantId, StartTime = request.StartTime, EndTime = request.EndTime, Metric = request.Metric, CustomerRef = request.CustomerRef,
            },
            cancellationToken: context.RequestAborted).ConfigureAwait(false);
        var counts = sums.Overall;
        return new ReportPage(
            period, [.. page.Reports.Select(ReportAnswer.Of)],
            [.. page.Reports.Where(report => report.Suggestion is not null).Select(SuggestionAnswer.Of)],
            new ReportCounts(counts.ReportCount, counts.OkCount, counts.InvestigateCount, counts.ResolvedCount, new ExactNumber(counts.MaxDrift)),
            page.NextPageToken.OrNull());
    }

    /// <summary>Every page of the month. The first is read before anything is written, so a failure there is still told.</summary>
    private static async Task<IResult> WriteCsvAsync(
        string period, ListReconciliationReportsRequest request, HttpContext context, ReconciliationCalls reconciliation)
    {
        request.PageSize = PageReports;
        var page = await reconciliation.ListReconciliationReportsAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        context.Response.ContentType = CsvText.ContentType;
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"reconciliation_{FileName(request.TenantId)}_{period}.csv\"";
        await context.Response.WriteAsync(
            CsvText.Row("subscription_item_id", "period", "local", "stripe", "drift_abs", "drift_pct", "status"), context.RequestAborted).ConfigureAwait(false);
        while (true)
        {
            foreach (var report in page.Reports)
            {
                var row = CsvText.Row(
                    ReconciliationWords.ItemOf(report), period, report.ExpectedTotal, report.StripeTotal, ReconciliationWords.Magnitude(report.Drift),
                    report.DriftFraction, ReconciliationWords.Of(report.Status));
                await context.Response.WriteAsync(row, context.RequestAborted).ConfigureAwait(false);
            }

            if (page.NextPageToken.Length == 0)
                return TypedResults.Empty;
            request.PageToken = page.NextPageToken;
            page = await reconciliation.ListReconciliationReportsAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        }
    }

    private static async Task<IReadOnlyList<ReportAnswer>> HistoryAsync(HttpContext context, ReconciliationCalls reconciliation)
    {
        var query = new QueryReader(context);
        var request = new ListReconciliationHistoryRequest { TenantId = query.Text(CommonParameters.Tenant), ReportId = query.Text(ReportId) };
        query.Check();
        var history = await reconciliation.ListReconciliationHistoryAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return [.. history.Reports.Select(ReportAnswer.Of)];
    }

    private static async Task<ApplyAnswer> ApplyAsync(HttpContext context, ReconciliationCalls reconciliation, GatewayOptions options)
    {
        using var body = await JsonBody.ReadAsync(context, options.ReconciliationBodyBytes, ApplyMembers).ConfigureAwait(false);
        var request = new ApplySuggestionsRequest { TenantId = body.Tenant(), Reason = body.Text("reason") ?? "", Actor = Actor };
        request.Ids.AddRange(body.Texts("adjustmentIds"));
        if (request.Ids.Count is 0 || request.Ids.Count > options.MaximumApprovals || request.Ids.Contains(""))
            body.Add("adjustmentIds", string.Create(CultureInfo.InvariantCulture, $"must have 1 to {options.MaximumApprovals} ids"));
        body.Check();
        var done = await reconciliation.ApplySuggestionsAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        var applied = done.Results.Count(result => result.Applied);
        return new ApplyAnswer(applied, done.Results.Count - applied, [.. done.Results.Select(ApplyResult.Of)]);
    }

    /// <summary>A tenant as part of a file name: what has a meaning in headers or paths is left out.</summary>
    private static string FileName(string tenant) =>
        string.Concat(tenant.Where(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.'));
}
