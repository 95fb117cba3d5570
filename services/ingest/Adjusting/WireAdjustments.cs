using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Adjustments;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Ingest.Adjusting;

/// <summary>Adjustments as the API shows them.</summary>
internal static class WireAdjustments
{
    public static V1.Adjustment ToWire(TenantId tenant, AdjustmentState state)
    {
        var adjustment = state.Adjustment;
        return new V1.Adjustment
        {
            Id = adjustment.Id,
            TenantId = tenant.Value,
            Metric = adjustment.Metric,
            CustomerRef = adjustment.Customer,
            PeriodTime = adjustment.At.ToTimestamp(),
            Delta = adjustment.Delta.ToString(),
            Reason = (V1.AdjustmentReason)adjustment.Reason,
            Status = (V1.AdjustmentStatus)state.Status,
            Actor = adjustment.Actor,
            CreateTime = adjustment.Created.ToTimestamp(),
            ApprovedBy = ActorOf(state.Approval),
            ApproveTime = state.Approval?.Record.Received.ToTimestamp(),
            RevertedBy = ActorOf(state.Revert),
            RevertTime = state.Revert?.Record.Received.ToTimestamp(),
            RequestId = adjustment.RequestId,
            Note = state.Revert?.Record.Control is { Note.Length: > 0 } revert ? revert.Note : adjustment.Note,
            EventKey = adjustment.EventKey,
            Shard = (state.Approval ?? state.Revert)?.Shard ?? 0,
            ApprovePosition = state.Approval?.Position ?? 0,
            RevertPosition = state.Revert?.Position ?? 0,
        };
    }

    private static string ActorOf(LedgerEntry? transition) => transition?.Record.Control?.Actor ?? "";
}
