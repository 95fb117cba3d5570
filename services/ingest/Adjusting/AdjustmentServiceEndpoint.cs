using Grpc.Core;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Ingest.Controlling;
using StripeMeter.Metering.Adjustments;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.V1;
using Adjustment = StripeMeter.V1.Adjustment;
using AdjustmentStatus = StripeMeter.Metering.Adjustments.AdjustmentStatus;
using AdjustmentTransition = StripeMeter.V1.AdjustmentTransition;
using DomainAdjustment = StripeMeter.Metering.Adjustments.Adjustment;
using DomainReason = StripeMeter.Metering.Adjustments.AdjustmentReason;

namespace StripeMeter.Ingest.Adjusting;

/// <summary>The gRPC face of adjustments and late events.</summary>
public sealed class AdjustmentServiceEndpoint(
    IMeterStore store, ControlAnnouncer announcer, ControlOptions options, ControlInstruments instruments, TimeProvider clock)
    : AdjustmentService.AdjustmentServiceBase
{
    private const int NoteLength = 500;
    private const int DefaultPageSize = 100;
    private const int MaximumPageSize = 1_000;

    [Access(AccessKind.Change)]
    public override async Task<Adjustment> CreateAdjustment(CreateAdjustmentRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        var draft = ToDraft(request);
        var created = await BookOf(tenant).CreateAsync(draft, Guid.NewGuid().ToString("N"), context.CancellationToken).ConfigureAwait(false)
            ?? throw RpcErrors.AlreadyExists("REQUEST_ID_TAKEN", "A request of this name created another adjustment.");
        instruments.Created(draft.Reason.ToString().ToLowerInvariant());
        return WireAdjustments.ToWire(tenant, await FindAsync(tenant, created.Id, context.CancellationToken).ConfigureAwait(false));
    }

    [Access(AccessKind.Read)]
    public override async Task<Adjustment> GetAdjustment(GetAdjustmentRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        if (request.RequestId.Length == 0)
            return WireAdjustments.ToWire(tenant, await FindAsync(tenant, request.Id, context.CancellationToken).ConfigureAwait(false));
        var requested = await BookOf(tenant).FindRequestedAsync(request.RequestId, context.CancellationToken).ConfigureAwait(false)
            ?? throw RpcErrors.NotFound($"An adjustment of the request '{request.RequestId}'");
        return WireAdjustments.ToWire(tenant, requested);
    }

    [Access(AccessKind.Read)]
    public override async Task<ListAdjustmentsResponse> ListAdjustments(
        ListAdjustmentsRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        var query = new AdjustmentQuery
        {
            Metric = request.Metric.Length > 0 ? request.Metric : null,
            Customer = request.CustomerRef.Length > 0 ? request.CustomerRef : null,
            From = ControlFields.Time("start_time", request.StartTime) ?? Instant.Minimum,
            To = ControlFields.Time("end_time", request.EndTime) ?? Instant.Maximum,
            Status = request.Status == V1.AdjustmentStatus.Unspecified ? null : (AdjustmentStatus)request.Status,
            LateOnly = request.LateOnly,
            After = ControlFields.Cursor<ListCursor>("page_token", request.PageToken)?.ToDomain(),
            Limit = ControlFields.PageSize(request.PageSize, DefaultPageSize, MaximumPageSize),
        };
        var page = await BookOf(tenant).ListAsync(query, context.CancellationToken).ConfigureAwait(false);
        var response = new ListAdjustmentsResponse();
        response.Adjustments.AddRange(page.Adjustments.Select(state => WireAdjustments.ToWire(tenant, state)));
        if (page.Next is { } next)
            response.NextPageToken = PageToken.Write(ListCursor.Of(next));
        return response;
    }

    [Access(AccessKind.Change)]
    public override async Task<AdjustmentTransition> ApproveAdjustment(ApproveAdjustmentRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        var actor = ControlFields.Text("actor", request.Actor, ControlFields.NameLength);
        var state = await FindAsync(tenant, request.Id, context.CancellationToken).ConfigureAwait(false);
        Call.NoteBefore(WireAdjustments.ToWire(tenant, state));
        var transition = await BookOf(tenant).ApproveAsync(state, actor, context.CancellationToken).ConfigureAwait(false);
        announcer.Announce(tenant, transition.Appended);
        if (transition.State.Status == AdjustmentStatus.Reverted)
            throw RpcErrors.FailedPrecondition("ALREADY_REVERTED", "Already reverted");
        if (transition.Appended is not null)
            instruments.Approved(state.Adjustment.EventKey.Length > 0);
        return Answer(tenant, transition);
    }

    [Access(AccessKind.Change)]
    public override async Task<AdjustmentTransition> RevertAdjustment(RevertAdjustmentRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        var actor = ControlFields.Text("actor", request.Actor, ControlFields.NameLength);
        var note = ControlFields.Text("note", request.Note, NoteLength);
        var state = await FindAsync(tenant, request.Id, context.CancellationToken).ConfigureAwait(false);
        Call.NoteBefore(WireAdjustments.ToWire(tenant, state));
        if (state.Status == AdjustmentStatus.Pending && !request.RejectPending)
            throw RpcErrors.FailedPrecondition("NOT_APPROVED", "Only approved adjustments can be reverted");
        var transition = await BookOf(tenant).RevertAsync(state, actor, note, context.CancellationToken).ConfigureAwait(false);
        announcer.Announce(tenant, transition.Appended);
        if (transition.Appended is not null)
            instruments.Reverted(state.Adjustment.EventKey.Length > 0, state.Status == AdjustmentStatus.Approved);
        return Answer(tenant, transition);
    }

    private DomainAdjustment ToDraft(CreateAdjustmentRequest request)
    {
        var error = QuantityText.Read(request.Delta, out var delta);
        var limit = Quantity.FromInteger(options.MaximumDelta);
        if (error != QuantityTextError.None || delta == Quantity.Zero || delta > limit || delta < -limit)
            throw RpcErrors.Invalid("delta", $"must be a decimal with at most 12 places, not zero, from -{options.MaximumDelta} to {options.MaximumDelta}");
        var reason = (DomainReason)request.Reason;
        if (!Enum.IsDefined(reason) || reason == DomainReason.LateEvent)
            throw RpcErrors.Invalid("reason", "must be one of backfill, correction, promo, credit, manual");
        return new DomainAdjustment
        {
            Id = "", Metric = ControlFields.Metric(request.Metric), Customer = ControlFields.Customer(request.CustomerRef),
            At = ControlFields.RequiredTime("period_time", request.PeriodTime), Delta = delta, Reason = reason,
            Actor = ControlFields.Text("actor", request.Actor, ControlFields.NameLength),
            RequestId = ControlFields.Text("request_id", request.RequestId, ControlFields.NameLength),
            Note = ControlFields.Text("note", request.Note, NoteLength),
        };
    }

    private async Task<AdjustmentState> FindAsync(TenantId tenant, string id, CancellationToken cancellation) =>
        await BookOf(tenant).FindAsync(id, cancellation).ConfigureAwait(false) ?? throw RpcErrors.NotFound($"The adjustment '{id}'");

    private AdjustmentBook BookOf(TenantId tenant) => new(store.Of(tenant).Ledger, store.Of(tenant).Documents, clock);

    private static AdjustmentTransition Answer(TenantId tenant, Metering.Adjustments.AdjustmentTransition transition) => new()
    {
        Adjustment = WireAdjustments.ToWire(tenant, transition.State),
        Already = transition.Appended is null,
    };

    private sealed record ListCursor(string? Manual, bool Late, string Value, long Ticks, int Shard, long Position)
    {
        public static ListCursor Of(AdjustmentCursor cursor) => cursor.LateEvent is { } late
            ? new ListCursor(null, true, late.Value, late.Timestamp.Ticks, late.Shard, late.Position)
            : new ListCursor(cursor.ManualId, false, "", 0, 0, 0);

        public AdjustmentCursor ToDomain() =>
            new(Manual, Late ? new EventCursor(Value, new Instant(Ticks), Shard, Position) : null);
    }
}
