using Grpc.Core;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Ingest.Controlling;
using StripeMeter.Metering.AuditLog;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.V1;

namespace StripeMeter.Ingest.AuditLog;

/// <summary>Shows the audit log, which every service writes.</summary>
public sealed class AuditLogServiceEndpoint(IMeterStore store) : AuditLogService.AuditLogServiceBase
{
    private const int NormalPage = 100;
    private const int MaximumPage = 1_000;

    [Access(AccessKind.Read)]
    public override async Task<ListAuditEntriesResponse> ListAuditEntries(ListAuditEntriesRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        var limit = ControlFields.PageSize(request.PageSize, NormalPage, MaximumPage);
        if (request.UnresolvedOnly)
            return await ListUnresolvedAsync(tenant, request, limit, context.CancellationToken).ConfigureAwait(false);
        long? after = null;
        if (request.PageToken.Length > 0 && !PageToken.TryRead(request.PageToken, out after))
            throw RpcErrors.Invalid("page_token", "is not one of ours");
        var found = await new AuditTrail(store.Of(tenant).Documents)
            .ListAsync(after, !request.Ascending, limit + 1, context.CancellationToken).ConfigureAwait(false);
        var response = new ListAuditEntriesResponse();
        response.Entries.AddRange(found.Take(limit).Where(entry => IsWanted(entry, request)).Select(ToWire));
        if (found.Count > limit)
            response.NextPageToken = PageToken.Write<long?>(found[limit - 1].ToEntry().Sequence);
        return response;
    }

    private async Task<ListAuditEntriesResponse> ListUnresolvedAsync(
        TenantId tenant, ListAuditEntriesRequest request, int limit, CancellationToken cancellation)
    {
        if (request.Ascending)
            throw RpcErrors.Invalid("ascending", "cannot go with unresolved_only: outcomes are met before their beginnings");
        var from = ControlFields.Cursor<UnresolvedCursor>("page_token", request.PageToken) ?? UnresolvedCursor.Newest;
        var trail = new AuditTrail(store.Of(tenant).Documents);
        var (found, next) = await UnresolvedChanges.SearchAsync(trail, from, limit, cancellation).ConfigureAwait(false);
        return new ListAuditEntriesResponse
        {
            Entries = { found.Where(entry => IsWanted(entry, request)).Select(ToWire) },
            NextPageToken = next is null ? "" : PageToken.Write(next),
        };
    }

    private static bool IsWanted(ChainedEntry chained, ListAuditEntriesRequest request)
    {
        if (request.ActorFilter.Length == 0 && request.ActionFilter.Length == 0 && request.RequestIdFilter.Length == 0)
            return true;
        var entry = chained.ToEntry();
        return Is(request.ActorFilter, entry.Actor) && Is(request.ActionFilter, entry.Action) && Is(request.RequestIdFilter, entry.RequestId);

        static bool Is(string filter, string value) => filter.Length == 0 || filter == value;
    }

    private static V1.AuditEntry ToWire(ChainedEntry entry) => new()
    {
        Text = entry.Text, PreviousHash = entry.PreviousHash, Hash = entry.Hash,
    };
}
