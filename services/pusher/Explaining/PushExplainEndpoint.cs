using Grpc.Core;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Explaining;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Pusher.Viewing;
using StripeMeter.V1;

namespace StripeMeter.Pusher.Explaining;

/// <summary>Traces what Stripe was told, in both directions.</summary>
internal sealed class PushExplainEndpoint(IMeterStore store) : PushExplainService.PushExplainServiceBase
{
    [Access(AccessKind.Read, Scopes.UsageRead)]
    public override async Task<ExplainPushResponse> ExplainPush(ExplainPushRequest request, ServerCallContext context)
    {
        var tenant = store.Of(Requests.Tenant(request.TenantId));
        var identifier = Required("identifier", request.Identifier);
        var size = Requests.PageSize(request.PageSize);
        var cursor = Requests.Cursor<Cursor>(request.PageToken)?.Place ?? default;
        var explainer = new PushExplainer(tenant);
        var place = await Call.AsSystemAsync(() => store.Work.PlaceOfIntentAsync(identifier, context.CancellationToken)).ConfigureAwait(false);
        // Of another tenant's push nothing is said, not even that there is one.
        var trail = place is { } found && found.Tenant == tenant.Tenant
            ? await explainer.FindAsync(found.Key, identifier, context.CancellationToken).ConfigureAwait(false)
            : null;
        if (trail is null)
            throw RpcErrors.NotFound($"A push with the identifier '{identifier}'");
        var page = await explainer.RecordsAsync(trail, cursor, size, context.CancellationToken).ConfigureAwait(false);
        return new ExplainPushResponse
        {
            Push = ToWire(trail),
            Records = { page.Entries.Select(ToWire) },
            NextPageToken = page.Next is { } next ? PageToken.Write(new Cursor(next)) : "",
        };
    }

    [Access(AccessKind.Read, Scopes.UsageRead)]
    public override async Task<ListPushesOfEventResponse> ListPushesOfEvent(ListPushesOfEventRequest request, ServerCallContext context)
    {
        var tenant = store.Of(Requests.Tenant(request.TenantId));
        var key = Required("idempotency_key", request.IdempotencyKey);
        var size = Requests.PageSize(request.PageSize);
        var cursor = Requests.Cursor<PushesCursor>(request.PageToken)?.Place ?? default;
        var approval = new RecordKey(KeySpace.Control, ControlRecords.ApprovalKey(RecordKind.LateEventApproved, key));
        var found = await tenant.Ledger.FindAsync([new RecordKey(KeySpace.Client, key), approval], context.CancellationToken).ConfigureAwait(false);
        if (found.GetValueOrDefault(new RecordKey(KeySpace.Client, key)) is not { } entry)
            throw RpcErrors.NotFound($"An event under the key '{key}'");
        // One that came late counts from its approval on.
        if ((entry.Record.Late ? found.GetValueOrDefault(approval)?.Position : entry.Position) is not { } position)
            return new ListPushesOfEventResponse();
        var record = new CarriedRecord(entry.Record.Metric, entry.Record.Customer, entry.Record.Timestamp, position);
        var page = await new PushExplainer(tenant).PushesOfAsync(record, cursor, size, context.CancellationToken).ConfigureAwait(false);
        return new ListPushesOfEventResponse
        {
            Pushes = { page.Pushes.Select(ToWire) },
            NextPageToken = page.Next is { } next ? PageToken.Write(new PushesCursor(next)) : "",
        };
    }

    private static ExplainedPush ToWire(PushTrail trail) => new()
    {
        StripeAccount = trail.Key.Account,
        Livemode = trail.Key.Livemode,
        MeterId = trail.Key.MeterId,
        StripeCustomer = trail.Key.StripeCustomer,
        PeriodStart = trail.Period.Start.ToTimestamp(),
        PeriodEnd = trail.Period.End.ToTimestamp(),
        Intent = PushServiceEndpoint.ToWire(trail.Intent),
        Counters =
        {
            trail.Changes.Select(change => new ToldCounter
            {
                Metric = change.Counter.Metric, CustomerRef = change.Counter.Customer, BehindPosition = change.Behind,
                Position = change.Counter.Version.Position, Recounted = change.IsRecount,
            }),
        },
    };

    private static ToldRecord ToWire(LedgerEntry entry)
    {
        var record = entry.Record;
        return new ToldRecord
        {
            Metric = record.Metric,
            CustomerRef = record.Customer,
            IdempotencyKey = record.Kind == RecordKind.Event ? record.Key : record.Kind == RecordKind.LateEventApproved ? record.Control!.Subject : "",
            AdjustmentId = record.Kind == RecordKind.AdjustmentApproved ? record.Control!.Subject : "",
            Quantity = (record.Event?.Quantity ?? record.Control!.Quantity).ToString(),
            Timestamp = record.Timestamp.ToTimestamp(),
            Shard = entry.Shard,
            Position = entry.Position,
        };
    }

    private static string Required(string field, string value) => value.Length > 0 ? value : throw RpcErrors.Invalid(field, "is required");

    private sealed record Cursor(ToldCursor Place);

    private sealed record PushesCursor(CarryingCursor Place);
}
