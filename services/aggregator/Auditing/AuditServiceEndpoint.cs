using Grpc.Core;
using StripeMeter.Aggregator.Querying;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Auditing;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;
using StripeMeter.V1;

namespace StripeMeter.Aggregator.Auditing;

/// <summary>Audits counters when asked to.</summary>
public sealed class AuditServiceEndpoint(IMeterStore store, AuditSettings settings) : AuditService.AuditServiceBase
{
    private const int DefaultPageSize = 100;
    private const int MaximumPageSize = 1_000;

    [Access(AccessKind.Read, Scopes.ReconciliationRead)]
    public override async Task<AuditCountersResponse> AuditCounters(AuditCountersRequest request, ServerCallContext context)
    {
        var tenant = store.Of(Requests.Tenant(request.TenantId));
        Cursor? cursor = null;
        if (request.PageToken.Length > 0 && !PageToken.TryRead(request.PageToken, out cursor))
            throw RpcErrors.Invalid("page_token", "is not one that a listing gave");
        var query = new CounterQuery
        {
            Metric = request.Metric.Length > 0 ? request.Metric : null,
            Customer = request.CustomerRef.Length > 0 ? request.CustomerRef : null,
            After = cursor is null ? null : new CounterKey(cursor.Metric, cursor.Customer, new Instant(cursor.PeriodStart)),
            Limit = Requests.PageSize(request.PageSize, DefaultPageSize, MaximumPageSize),
        };
        var rows = await tenant.Projection.ListAsync(query, context.CancellationToken).ConfigureAwait(false);
        var auditor = new CounterAuditor(tenant, settings.PageRecords);
        var response = new AuditCountersResponse();
        foreach (var row in rows)
        {
            var result = await auditor.CheckAsync(row, context.CancellationToken).ConfigureAwait(false);
            if (result.Outcome == AuditOutcome.Matches)
                response.MatchingCount++;
            else if (result.Outcome == AuditOutcome.Undecided)
                response.UndecidedCount++;
            else
                response.Mismatches.Add(new AuditMismatch { Projected = row.ToWire(tenant.Tenant), Recounted = result.Recounted.ToWire(tenant.Tenant) });
        }

        if (rows.Count == query.Limit)
        {
            var last = rows[^1].Counter.Key;
            response.NextPageToken = PageToken.Write(new Cursor(last.Metric, last.Customer, last.PeriodStart.Ticks));
        }

        return response;
    }

    private sealed record Cursor(string Metric, string Customer, long PeriodStart);
}
