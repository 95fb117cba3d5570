using Google.Protobuf.Collections;
using Grpc.Core;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Ingest.Controlling;
using StripeMeter.Metering.Backfilling;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.V1;
using DomainBackfill = StripeMeter.Metering.Backfilling.Backfill;
using DomainKind = StripeMeter.Metering.Backfilling.BackfillKind;
using DomainStatus = StripeMeter.Metering.Backfilling.BackfillStatus;

namespace StripeMeter.Ingest.Backfilling;

/// <summary>The gRPC face of backfills.</summary>
public sealed class BackfillServiceEndpoint(
    IMeterStore store, EventStager stager, BackfillService work, BackfillInstruments instruments, TimeProvider clock) : V1.BackfillService.BackfillServiceBase
{
    private const int ReasonLength = 500;
    private const int NoteLength = 500;
    private const int SourceLength = 20;
    private const int MaximumNames = 100;
    private const int DigestLength = 128;
    private const int MaximumOffset = 10_000;

    [Access(AccessKind.Change, Scopes.EventsWrite)]
    public override async Task<OpenBackfillResponse> OpenBackfill(OpenBackfillRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        var key = ControlFields.Text("request_key", request.RequestKey, ControlFields.NameLength);
        var opening = await new BackfillOpener(store.Of(tenant), clock).OpenAsync(ToDraft(request), key, context.CancellationToken).ConfigureAwait(false);
        if (opening.Backfill is not { } backfill)
            throw RpcErrors.FailedPrecondition("REQUEST_KEY_REUSED", $"The request key '{key}' was used with another request.");
        if (!opening.Already)
            instruments.Opened(backfill.Kind.ToString().ToLowerInvariant());
        return new OpenBackfillResponse { Backfill = backfill.ToWire(tenant), Already = opening.Already };
    }

    [Access(AccessKind.Append, Scopes.EventsWrite)]
    public override Task<StageEventsResponse> StageEvents(StageEventsRequest request, ServerCallContext context) =>
        stager.StageAsync(ControlFields.Tenant(request.TenantId), request, context.CancellationToken);

    [Access(AccessKind.Read, Scopes.EventsRead)]
    public override async Task<PreviewBackfillResponse> PreviewBackfill(PreviewBackfillRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        var size = ControlFields.PageSize(request.PageSize, 1_000, 10_000);
        var after = ControlFields.Cursor<string>("page_token", request.PageToken);
        await FindAsync(tenant, request.BackfillId, context.CancellationToken).ConfigureAwait(false);
        var preview = await new BackfillPreviewer(store.Of(tenant)).ReadAsync(request.BackfillId, after, size, context.CancellationToken)
            .ConfigureAwait(false);
        var response = new PreviewBackfillResponse
        {
            AcceptedCount = preview.Tally.Accepted, DuplicateCount = preview.Tally.Duplicates, ConflictCount = preview.Tally.Conflicts,
            RevertedDuplicateCount = preview.Tally.Buried, NextPageToken = preview.Next is null ? "" : PageToken.Write(preview.Next),
        };
        response.Changes.AddRange(preview.Changes.Select(WireBackfills.ToWire));
        return response;
    }

    [Access(AccessKind.Change, Scopes.EventsWrite)]
    public override async Task<CommitBackfillResponse> CommitBackfill(CommitBackfillRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        if (request.RowCount < 0)
            throw RpcErrors.Invalid("row_count", "must not be negative");
        var digest = ControlFields.Text("content_digest", request.ContentDigest, DigestLength);
        Call.NoteBefore((await FindAsync(tenant, request.BackfillId, context.CancellationToken).ConfigureAwait(false)).ToWire(tenant));
        var decision = Carry(
            "commit", await BookOf(tenant).CommitAsync(request.BackfillId, request.RowCount, digest, context.CancellationToken).ConfigureAwait(false));
        return new CommitBackfillResponse { Backfill = decision.Backfill.ToWire(tenant), Already = decision.Already };
    }

    [Access(AccessKind.Change, Scopes.EventsWrite)]
    public override async Task<RevertBackfillResponse> RevertBackfill(RevertBackfillRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        var actor = ControlFields.Text("actor", request.Actor, ControlFields.NameLength);
        var note = ControlFields.Text("note", request.Note, NoteLength);
        var problem = ControlFields.Text("problem", request.Problem, NoteLength);
        Call.NoteBefore((await FindAsync(tenant, request.BackfillId, context.CancellationToken).ConfigureAwait(false)).ToWire(tenant));
        var decision = Carry(
            "revert",
            await BookOf(tenant).RevertAsync(request.BackfillId, actor, note, problem, context.CancellationToken).ConfigureAwait(false));
        return new RevertBackfillResponse { Backfill = decision.Backfill.ToWire(tenant), Already = decision.Already };
    }

    [Access(AccessKind.Read, Scopes.EventsRead)]
    public override async Task<GetBackfillResponse> GetBackfill(GetBackfillRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        var found = await FindAsync(tenant, request.BackfillId, context.CancellationToken).ConfigureAwait(false);
        return new GetBackfillResponse { Backfill = found.ToWire(tenant) };
    }

    [Access(AccessKind.Read, Scopes.EventsRead)]
    public override async Task<ListBackfillsResponse> ListBackfills(ListBackfillsRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        var size = ControlFields.PageSize(request.PageSize, 50, 100);
        if (request.Offset is < 0 or > MaximumOffset)
            throw RpcErrors.Invalid("offset", $"must be 0 to {MaximumOffset}");
        DomainStatus? status = request.Status == V1.BackfillStatus.Unspecified ? null : (DomainStatus)request.Status;
        var after = ControlFields.Cursor<string>("page_token", request.PageToken);
        var page = await BookOf(tenant).ListAsync(status, after, request.Offset, size, context.CancellationToken).ConfigureAwait(false);
        var response = new ListBackfillsResponse { TotalCount = page.Total, NextPageToken = page.Next is null ? "" : PageToken.Write(page.Next) };
        response.Backfills.AddRange(page.Backfills.Select(backfill => backfill.ToWire(tenant)));
        return response;
    }

    [Access(AccessKind.Read, Scopes.EventsRead)]
    public override async Task<ListBackfillProblemsResponse> ListBackfillProblems(
        ListBackfillProblemsRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        var size = ControlFields.PageSize(request.PageSize, 100, 1_000);
        var after = ControlFields.Cursor<string>("page_token", request.PageToken);
        await FindAsync(tenant, request.BackfillId, context.CancellationToken).ConfigureAwait(false);
        var page = await BookOf(tenant).ProblemsAsync(request.BackfillId, after, size, context.CancellationToken).ConfigureAwait(false);
        var response = new ListBackfillProblemsResponse { NextPageToken = page.Next is null ? "" : PageToken.Write(page.Next) };
        response.Problems.AddRange(page.Notes.Select(WireBackfills.ToWire));
        return response;
    }

    [Access(AccessKind.Read, Scopes.EventsRead)]
    public override async Task<ListBackfillDuplicatesResponse> ListBackfillDuplicates(
        ListBackfillDuplicatesRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        var size = ControlFields.PageSize(request.PageSize, 100, 1_000);
        var after = ControlFields.Cursor<string>("page_token", request.PageToken);
        await FindAsync(tenant, request.BackfillId, context.CancellationToken).ConfigureAwait(false);
        var page = await BookOf(tenant).DuplicatesAsync(request.BackfillId, after, size, context.CancellationToken).ConfigureAwait(false);
        var response = new ListBackfillDuplicatesResponse { NextPageToken = page.Next is null ? "" : PageToken.Write(page.Next) };
        response.Duplicates.AddRange(page.Notes.Select(WireBackfills.ToWire));
        return response;
    }

    private DomainBackfill ToDraft(OpenBackfillRequest request)
    {
        var kind = (DomainKind)request.Kind;
        if (!Enum.IsDefined(kind))
            throw RpcErrors.Invalid("kind", "must be import or session");
        var from = ControlFields.Time("start_time", request.StartTime) ?? Instant.Minimum;
        var before = ControlFields.Time("end_time", request.EndTime) ?? Instant.Maximum;
        if (before <= from)
            throw RpcErrors.Invalid("end_time", "must be after start_time");
        return new DomainBackfill
        {
            // Rises with time, so that the newest is the last.
            Id = Guid.CreateVersion7(clock.GetUtcNow()).ToString(),
            Kind = kind,
            Scope = new BackfillScope(
                Names("metrics", request.Metrics, ControlFields.Metric), Names("customer_refs", request.CustomerRefs, ControlFields.Customer), from, before),
            Reason = ControlFields.Required("reason", request.Reason, ReasonLength),
            Actor = ControlFields.Text("actor", request.Actor, ControlFields.NameLength),
            Source = ControlFields.Text("source_type", request.SourceType, SourceLength),
            DryRun = request.DryRun,
        };
    }

    private static string[] Names(string field, RepeatedField<string> names, Func<string, string> check) =>
        names.Count <= MaximumNames ? [.. names.Select(check)] : throw RpcErrors.Invalid(field, $"must be at most {MaximumNames}");

    private async Task<DomainBackfill> FindAsync(TenantId tenant, string id, CancellationToken cancellation) =>
        await BookOf(tenant).FindAsync(id, cancellation).ConfigureAwait(false) ?? throw RpcErrors.NotFound($"The backfill '{id}'");

    private BackfillBook BookOf(TenantId tenant) => new(store.Of(tenant), clock);

    /// <summary>Has what was decided carried out; refuses where it could not be.</summary>
    private BackfillDecision Carry(string name, BackfillDecision decision)
    {
        if (decision.Refusal is { } refusal)
            throw RpcErrors.FailedPrecondition("BACKFILL_STATE", refusal);
        if (!decision.Already)
            instruments.Decided(name);
        work.Wake();
        return decision;
    }
}
