using System.Security.Cryptography;
using System.Text;
using Grpc.Core;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Reconciling;
using StripeMeter.Metering.Stores;
using StripeMeter.V1;
using AppliedSuggestion = StripeMeter.V1.AppliedSuggestion;
using AdjustmentSuggestion = StripeMeter.Metering.Reconciling.AdjustmentSuggestion;
using Report = StripeMeter.Metering.Reconciling.ReconciliationReport;

namespace StripeMeter.Pusher.Reconciling;

/// <summary>
/// Makes suggestions into adjustments, by asking ingest, which owns them. A suggestion names its adjustment, so that a
/// repeated call, also after a crash, creates no second one.
/// </summary>
internal sealed class SuggestionApplier(AdjustmentService.AdjustmentServiceClient adjustments, ReconcilingService reconciling)
{
    /// <summary>Applies one suggestion of a tenant, or approves one pending adjustment of it.</summary>
    public async Task<AppliedSuggestion> ApplyAsync(
        ITenantStore tenant, string id, string reason, string actor, CancellationToken cancellation)
    {
        try
        {
            return ReportId.OfReport(id) is { } reportId
                ? await ApplyAsync(tenant, id, reportId, reason, actor, cancellation).ConfigureAwait(false)
                : await ApproveAsync(tenant, id, id, actor, cancellation).ConfigureAwait(false);
        }
        catch (RpcException refusal) when (refusal.StatusCode is StatusCode.NotFound or StatusCode.FailedPrecondition or StatusCode.InvalidArgument or StatusCode.AlreadyExists)
        {
            return Failed(id, refusal.Status.Detail);
        }
    }

    private async Task<AppliedSuggestion> ApplyAsync(
        ITenantStore tenant, string id, string reportId, string reason, string actor, CancellationToken cancellation)
    {
        var book = reconciling.BookOf(tenant);
        var report = (await book.FindAsync(reportId, cancellation).ConfigureAwait(false))?.Report;
        if (report?.Applied.FirstOrDefault(applied => applied.SuggestionId == id) is { } before)
            return Done(id, before.AdjustmentId);
        if (report?.Suggestion is not { } suggestion || suggestion.Id != id)
            return Failed(id, "There is no such suggestion any more.");
        var created = await CreateOrFindAsync(RequestOf(tenant, report, suggestion, reason, actor), cancellation).ConfigureAwait(false);
        var done = await ApproveAsync(tenant, id, created.Id, actor, cancellation).ConfigureAwait(false);
        if (done.Applied)
            await book.EnterAppliedAsync(reportId, suggestion, created.Id, cancellation).ConfigureAwait(false);
        return done;
    }

    /// <summary>A correction that was created before is taken up, whatever reason was given for it then.</summary>
    private async Task<Adjustment> CreateOrFindAsync(CreateAdjustmentRequest request, CancellationToken cancellation)
    {
        try
        {
            return await adjustments.CreateAdjustmentAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
        }
        catch (RpcException refusal) when (refusal.StatusCode == StatusCode.AlreadyExists)
        {
            var find = new GetAdjustmentRequest { TenantId = request.TenantId, RequestId = request.RequestId };
            var found = await adjustments.GetAdjustmentAsync(find, cancellationToken: cancellation).ConfigureAwait(false);
            if (!IsSame(found, request))
                throw;
            return found;
        }
    }

    private static bool IsSame(Adjustment found, CreateAdjustmentRequest request) =>
        (found.Metric, found.CustomerRef, found.PeriodTime, found.Delta, found.Reason)
        == (request.Metric, request.CustomerRef, request.PeriodTime, request.Delta, request.Reason);

    private async Task<AppliedSuggestion> ApproveAsync(ITenantStore tenant, string id, string adjustmentId, string actor, CancellationToken cancellation)
    {
        var request = new ApproveAdjustmentRequest { TenantId = tenant.Tenant.Value, Id = adjustmentId, Actor = actor };
        var approved = await adjustments.ApproveAdjustmentAsync(request, cancellationToken: cancellation).ConfigureAwait(false);
        return Done(id, approved.Adjustment.Id);
    }

    private static CreateAdjustmentRequest RequestOf(ITenantStore tenant, Report report, AdjustmentSuggestion suggestion, string reason, string actor) => new()
    {
        TenantId = tenant.Tenant.Value,
        Metric = suggestion.Metric,
        CustomerRef = suggestion.Customer,
        PeriodTime = report.Period.Start.ToTimestamp(),
        Delta = suggestion.Delta.ToString(),
        Reason = AdjustmentReason.Correction,
        Actor = actor,
        RequestId = "reconciliation:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(suggestion.Id))),
        Note = reason.Length > 0 ? $"reconciliation: {reason}" : "reconciliation: takes back what another writer told Stripe",
    };

    private static AppliedSuggestion Done(string id, string adjustmentId) => new() { Id = id, Applied = true, AdjustmentId = adjustmentId };

    private static AppliedSuggestion Failed(string id, string problem) => new() { Id = id, Problem = problem };
}
