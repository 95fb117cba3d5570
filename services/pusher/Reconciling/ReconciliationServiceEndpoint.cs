using System.Security.Cryptography;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;
using StripeMeter.V1;
using Report = StripeMeter.Metering.Reconciling.ReconciliationReport;
using ReportId = StripeMeter.Metering.Reconciling.ReportId;
using Status = StripeMeter.Metering.Reconciling.ReconciliationStatus;

namespace StripeMeter.Pusher.Reconciling;

/// <summary>The gRPC face of reconciling.</summary>
internal sealed class ReconciliationServiceEndpoint(
    IMeterStore store, ReconcilingService reconciling, SuggestionApplier applier, ReconciliationOptions options)
    : ReconciliationService.ReconciliationServiceBase
{
    private const int NonceBytes = 8;
    private const int MaximumIds = 1_000;
    private const int MaximumReason = 400;
    private const int MaximumActor = 255;
    private const int PageReports = 1_000;

    [Access(AccessKind.Change, Scopes.ReconciliationWrite)]
    public override async Task<RunReconciliationResponse> RunReconciliation(RunReconciliationRequest request, ServerCallContext context)
    {
        var tenant = store.Of(Requests.Tenant(request.TenantId));
        var nonce = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(NonceBytes));
        var run = await reconciling.RunsOf(tenant).RequestAsync(request.Full, nonce, context.CancellationToken).ConfigureAwait(false);
        reconciling.Wake();
        return new RunReconciliationResponse { Run = run.ToWire(tenant.Tenant) };
    }

    [Access(AccessKind.Read, Scopes.ReconciliationRead)]
    public override async Task<GetReconciliationRunResponse> GetReconciliationRun(GetReconciliationRunRequest request, ServerCallContext context)
    {
        var tenant = store.Of(Requests.Tenant(request.TenantId));
        var id = Required("run_id", request.RunId);
        var run = await reconciling.RunsOf(tenant).FindAsync(id, context.CancellationToken).ConfigureAwait(false);
        return run is null
            ? throw RpcErrors.NotFound($"The run '{id}'")
            : new GetReconciliationRunResponse { Run = run.ToWire(tenant.Tenant) };
    }

    [Access(AccessKind.Read, Scopes.ReconciliationRead)]
    public override async Task<ListReconciliationReportsResponse> ListReconciliationReports(
        ListReconciliationReportsRequest request, ServerCallContext context)
    {
        var tenant = store.Of(Requests.Tenant(request.TenantId));
        var (from, to) = Range(request.StartTime, request.EndTime);
        var size = Requests.PageSize(request.PageSize);
        var after = Requests.Cursor<Cursor>(request.PageToken)?.ReportId;
        var found = await reconciling.BookOf(tenant).ListAsync(from, to, after, size + 1, context.CancellationToken).ConfigureAwait(false);
        var response = new ListReconciliationReportsResponse();
        response.Reports.AddRange(found.Take(size)
            .Where(report => Concerns(report, request.Metric, request.CustomerRef)
                && (request.Status == V1.ReconciliationStatus.Unspecified || report.Status == (Status)request.Status))
            .Select(report => report.ToWire(tenant.Tenant)));
        if (found.Count > size)
            response.NextPageToken = PageToken.Write(new Cursor(found[size - 1].Id));
        return response;
    }

    [Access(AccessKind.Read, Scopes.ReconciliationRead)]
    public override async Task<ListReconciliationHistoryResponse> ListReconciliationHistory(
        ListReconciliationHistoryRequest request, ServerCallContext context)
    {
        var tenant = store.Of(Requests.Tenant(request.TenantId));
        var history = await reconciling.BookOf(tenant).HistoryAsync(Required("report_id", request.ReportId), context.CancellationToken).ConfigureAwait(false);
        return new ListReconciliationHistoryResponse { Reports = { history.Select(report => report.ToWire(tenant.Tenant)) } };
    }

    [Access(AccessKind.Read, Scopes.ReconciliationRead)]
    public override async Task<SummarizeReconciliationResponse> SummarizeReconciliation(
        SummarizeReconciliationRequest request, ServerCallContext context)
    {
        var book = reconciling.BookOf(store.Of(Requests.Tenant(request.TenantId)));
        var (from, to) = Range(request.StartTime, request.EndTime);
        var (sums, read) = (new ReportSums(), 0);
        string? after = null;
        while (true)
        {
            var page = await book.ListAsync(from, to, after, PageReports, context.CancellationToken).ConfigureAwait(false);
            foreach (var report in page.Where(report => !report.IsShadow && Concerns(report, request.Metric, request.CustomerRef)))
                sums.Add(report);
            if (page.Count < PageReports)
                return sums.ToWire();
            if ((read += page.Count) >= options.SummedReports)
                throw RpcErrors.FailedPrecondition("TOO_MANY_REPORTS", $"There are more than {options.SummedReports} reports; ask for less time.");
            after = page[^1].Id;
        }
    }

    [Access(AccessKind.Change, Scopes.ReconciliationWrite, IsPartRequired = true)]
    public override async Task<ApplySuggestionsResponse> ApplySuggestions(ApplySuggestionsRequest request, ServerCallContext context)
    {
        var tenant = store.Of(Requests.Tenant(request.TenantId));
        if (request.Ids.Count is 0 or > MaximumIds)
            throw RpcErrors.Invalid("ids", $"must have 1 to {MaximumIds} entries");
        if (request.Reason.Length > MaximumReason)
            throw RpcErrors.Invalid("reason", $"must have at most {MaximumReason} characters");
        if (request.Actor.Length > MaximumActor)
            throw RpcErrors.Invalid("actor", $"must have at most {MaximumActor} characters");
        if (request.Ids.Contains(""))
            throw RpcErrors.Invalid("ids", "must not be empty");
        await NoteReportsAsync(tenant, request.Ids, context.CancellationToken).ConfigureAwait(false);
        await Call.BeginChangeAsync(tenant.Tenant, context.CancellationToken).ConfigureAwait(false);
        var response = new ApplySuggestionsResponse();
        foreach (var id in request.Ids)
            response.Results.Add(await applier.ApplyAsync(tenant, id, request.Reason, request.Actor, context.CancellationToken).ConfigureAwait(false));
        return response;
    }

    /// <summary>Tells the audit log the reports whose suggestions are applied; of adjustments the entries of ingest tell.</summary>
    private async Task NoteReportsAsync(ITenantStore tenant, IEnumerable<string> ids, CancellationToken cancellation)
    {
        var (book, before) = (reconciling.BookOf(tenant), new ListReconciliationReportsResponse());
        foreach (var reportId in ids.Select(ReportId.OfReport).OfType<string>().Distinct())
        {
            if (await book.FindAsync(reportId, cancellation).ConfigureAwait(false) is { } found)
                before.Reports.Add(found.Report.ToWire(tenant.Tenant));
        }

        Call.NoteBefore(before);
    }

    private static bool Concerns(Report report, string metric, string customer) =>
        (metric.Length == 0 || report.Metrics.Contains(metric)) && (customer.Length == 0 || report.Customers.Contains(customer));

    private static (Instant From, Instant To) Range(Timestamp? start, Timestamp? end)
    {
        var (from, to) = (Moment("start_time", start), Moment("end_time", end));
        return from < to ? (from, to) : throw RpcErrors.Invalid("end_time", "must be behind start_time");
    }

    private static Instant Moment(string field, Timestamp? sent)
    {
        if (sent is null)
            throw RpcErrors.Invalid(field, "is required");
        return sent.TryToInstant(out var instant) is { } problem ? throw RpcErrors.Invalid(field, problem) : instant;
    }

    private static string Required(string field, string value) => value.Length > 0 ? value : throw RpcErrors.Invalid(field, "is required");

    private sealed record Cursor(string ReportId);
}
