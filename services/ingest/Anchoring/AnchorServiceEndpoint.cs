using Grpc.Core;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Ingest.Controlling;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;
using StripeMeter.V1;

namespace StripeMeter.Ingest.Anchoring;

/// <summary>The gRPC face of billing anchors. Which periods are closed is judged here, once, and stands in the record.</summary>
public sealed class AnchorServiceEndpoint(
    IMeterStore store, ControlAnnouncer announcer, ControlOptions options, TimeProvider clock) : AnchorService.AnchorServiceBase
{
    private const int ListedChanges = 1_000;

    [Access(AccessKind.Change)]
    public override async Task<ChangeAnchorResponse> ChangeAnchor(ChangeAnchorRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        var anchor = request.Anchor is { } sent ? new PeriodAnchor(sent.Day, sent.Minute) : default;
        if (!anchor.IsValid)
            throw RpcErrors.Invalid("anchor", "must have a day from 1 to 31 and a minute from 0 to 1439");
        var now = Instant.Of(clock.GetUtcNow());
        var record = ControlRecords.AnchorChanged(
            ControlFields.Required("change_id", request.ChangeId, ControlFields.NameLength), ControlFields.Customer(request.CustomerRef),
            ControlFields.RequiredTime("effective_time", request.EffectiveTime), anchor, now - TimeSpan.FromHours(options.ClosingHours),
            ControlFields.Text("actor", request.Actor, ControlFields.NameLength), now);

        var ledger = store.Of(tenant).Ledger;
        Call.NoteBefore(new ListAnchorsResponse { Changes = { await ReadAsync(ledger, record.Customer, context.CancellationToken).ConfigureAwait(false) } });
        var appended = await new ControlAppender(ledger).AppendAsync([record], context.CancellationToken).ConfigureAwait(false);
        announcer.Announce(tenant, appended);
        if (appended.Outcomes[0].Appended)
            return new ChangeAnchorResponse { Change = ToWire(record) };
        var key = new RecordKey(record.Space, record.Key);
        var standing = (await ledger.FindAsync([key], context.CancellationToken).ConfigureAwait(false))[key].Record;
        return IsSame(record.Control!, standing.Control!)
            ? new ChangeAnchorResponse { Change = ToWire(standing), Already = true }
            : throw RpcErrors.FailedPrecondition("CHANGE_ID_REUSED", $"The change id '{request.ChangeId}' names another change, which stands.");
    }

    [Access(AccessKind.Read)]
    public override async Task<ListAnchorsResponse> ListAnchors(ListAnchorsRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        var customer = ControlFields.Customer(request.CustomerRef);
        return new ListAnchorsResponse { Changes = { await ReadAsync(store.Of(tenant).Ledger, customer, context.CancellationToken).ConfigureAwait(false) } };
    }

    private static async Task<IEnumerable<AnchorChange>> ReadAsync(ILedger ledger, string customer, CancellationToken cancellation)
    {
        var query = new EventQuery { Customer = customer, Metric = "", Controls = true, Ascending = true, Limit = ListedChanges };
        var found = await ledger.QueryAsync(query, cancellation).ConfigureAwait(false);
        return found.Where(entry => entry.Record.Kind == RecordKind.AnchorChanged).OrderBy(entry => entry.Position).Select(entry => ToWire(entry.Record));
    }

    private static bool IsSame(ControlBody wished, ControlBody standing) =>
        (wished.Customer, wished.At, wished.Anchor) == (standing.Customer, standing.At, standing.Anchor);

    private static AnchorChange ToWire(LedgerRecord record)
    {
        var control = record.Control!;
        return new AnchorChange
        {
            ChangeId = control.Subject,
            Anchor = new BillingAnchor { Day = control.Anchor!.Value.Day, Minute = control.Anchor.Value.Minute },
            EffectiveTime = control.At.ToTimestamp(),
            ClosedBeforeTime = control.ClosedBefore.ToTimestamp(),
            Actor = control.Actor,
            RecordedTime = record.Received.ToTimestamp(),
        };
    }
}
