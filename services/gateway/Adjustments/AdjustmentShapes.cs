using StripeMeter.Gateway.Requests;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Adjustments;

/// <summary>A correction to be made.</summary>
/// <param name="TenantId">The tenant.</param>
/// <param name="Metric">The metric.</param>
/// <param name="CustomerRef">The customer.</param>
/// <param name="PeriodStart">A day or moment of the billing period.</param>
/// <param name="Delta">What its sum changes by. A number or a decimal string, not zero.</param>
/// <param name="Reason">backfill, correction, promo, credit or manual.</param>
/// <param name="RequestId">Makes the request repeatable.</param>
/// <param name="Note">For people.</param>
public sealed record AdjustmentRequest(
    string TenantId, string Metric, string CustomerRef, string PeriodStart, ExactNumber Delta, string Reason, string? RequestId,
    string? Note);

/// <summary>What approving and reverting send.</summary>
/// <param name="TenantId">The tenant.</param>
/// <param name="Note">For people. Kept when reverting.</param>
public sealed record AdjustmentStep(string TenantId, string? Note);

/// <summary>A correction, or an event that came late.</summary>
/// <param name="Id">Given by the server.</param>
/// <param name="TenantId">The tenant.</param>
/// <param name="Metric">The metric.</param>
/// <param name="CustomerRef">The customer.</param>
/// <param name="PeriodStart">A moment of the billing period; of a late event, its timestamp.</param>
/// <param name="Delta">What the sum changes by, as decimal text.</param>
/// <param name="Reason">backfill, correction, promo, credit, manual, or late_event.</param>
/// <param name="Actor">Who created it.</param>
/// <param name="Status">pending, approved or reverted.</param>
/// <param name="ApprovedBy">Who approved it.</param>
/// <param name="ApprovedAt">When.</param>
/// <param name="RevertedBy">Who reverted it.</param>
/// <param name="RevertedAt">When.</param>
/// <param name="RequestId">The caller's name for the request.</param>
/// <param name="Note">For people.</param>
/// <param name="CreatedAt">When it was created, or the event taken in.</param>
/// <param name="EventKey">Of a late event, its idempotency key.</param>
public sealed record AdjustmentAnswer(
    string Id, string TenantId, string Metric, string CustomerRef, string? PeriodStart, string Delta, string Reason, string Actor,
    string Status, string? ApprovedBy, string? ApprovedAt, string? RevertedBy, string? RevertedAt, string? RequestId, string? Note,
    string? CreatedAt, string? EventKey)
{
    internal static AdjustmentAnswer Of(Adjustment sent) => new(
        sent.Id, sent.TenantId, sent.Metric, sent.CustomerRef, RestTime.Write(sent.PeriodTime), sent.Delta,
        AdjustmentWords.Of(sent.Reason), sent.Actor, AdjustmentWords.Of(sent.Status), sent.ApprovedBy.OrNull(),
        RestTime.Write(sent.ApproveTime), sent.RevertedBy.OrNull(), RestTime.Write(sent.RevertTime), sent.RequestId.OrNull(),
        sent.Note.OrNull(), RestTime.Write(sent.CreateTime), sent.EventKey.OrNull());
}

/// <summary>A page of adjustments: manual ones, newest first, then late events, newest first.</summary>
/// <param name="Adjustments">May be empty although there is a next page.</param>
/// <param name="NextCursor">Where the next page begins. Absent on the last.</param>
public sealed record AdjustmentPage(IReadOnlyList<AdjustmentAnswer> Adjustments, string? NextCursor);

/// <summary>What became of a request.</summary>
/// <param name="Ok">Always true.</param>
/// <param name="Id">The adjustment.</param>
/// <param name="Already">It had been done before.</param>
public sealed record AdjustmentDone(bool Ok, string Id, bool? Already);
