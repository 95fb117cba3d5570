using StripeMeter.Gateway.Requests;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Anchoring;

/// <summary>Where a customer's monthly billing periods begin, from a moment on. Either <c>day</c> or <c>billingCycleAnchor</c> says where.</summary>
/// <param name="TenantId">The tenant.</param>
/// <param name="CustomerRef">The customer.</param>
/// <param name="EffectiveFrom">
/// From when it holds, cut to its minute. Closed periods stay as they are, so it holds from the beginning of the oldest open one at the earliest.
/// </param>
/// <param name="Day">Day of the month, 1 to 31. A shorter month has its boundary on its last day.</param>
/// <param name="Minute">Minutes after midnight in UTC, 0 to 1439. Absent: 0.</param>
/// <param name="BillingCycleAnchor">A moment at which a period begins, as a Stripe subscription has it. Its day and minute are taken.</param>
/// <param name="ChangeId">
/// Names the change, such as by the Stripe event that told of it, and makes it repeatable: the same stands once. Absent: the header Idempotency-Key,
/// or a new name.
/// </param>
public sealed record AnchorRequest(
    string TenantId, string CustomerRef, string EffectiveFrom, int? Day, int? Minute, string? BillingCycleAnchor, string? ChangeId);

/// <summary>A change of where a customer's billing periods begin.</summary>
/// <param name="ChangeId">Its name.</param>
/// <param name="Day">Day of the month.</param>
/// <param name="Minute">Minutes after midnight in UTC.</param>
/// <param name="EffectiveFrom">From when it was wished, cut to its minute.</param>
/// <param name="ClosedBefore">Periods that ended at or before this moment were closed when it was recorded, and stay.</param>
/// <param name="Actor">Who made it.</param>
/// <param name="RecordedAt">When it was recorded.</param>
public sealed record AnchorAnswer(
    string ChangeId, int Day, int Minute, string? EffectiveFrom, string? ClosedBefore, string Actor, string? RecordedAt)
{
    internal static AnchorAnswer Of(AnchorChange change) => new(
        change.ChangeId, change.Anchor.Day, change.Anchor.Minute, RestTime.Write(change.EffectiveTime), RestTime.Write(change.ClosedBeforeTime),
        change.Actor, RestTime.Write(change.RecordedTime));
}

/// <summary>What became of a change.</summary>
/// <param name="Anchor">As it stands in the ledger.</param>
/// <param name="Already">It had been recorded before; nothing was changed.</param>
public sealed record AnchorChanged(AnchorAnswer Anchor, bool? Already);

/// <summary>The history of a customer's billing anchors.</summary>
/// <param name="Anchors">In the order in which they were recorded. Empty: calendar months in UTC.</param>
public sealed record AnchorList(IReadOnlyList<AnchorAnswer> Anchors);
