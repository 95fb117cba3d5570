using System.Globalization;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Ledger;

/// <summary>
/// Makes control records. The key of each is made of what it is about and the transition, so that a transition stands
/// once, whoever asks for it and however often.
/// </summary>
public static class ControlRecords
{
    /// <summary>Adds a manual adjustment to the sum of the counter that counts <paramref name="at"/>.</summary>
    public static LedgerRecord AdjustmentApproved(
        string id, string metric, string customer, Instant at, Quantity delta, string actor, Instant now) => LedgerRecord.OfControl(
        ApprovalKey(RecordKind.AdjustmentApproved, id), RecordKind.AdjustmentApproved,
        new ControlBody { Subject = id, Metric = metric, Customer = customer, At = at, Quantity = delta, Actor = actor }, now);

    /// <summary>Takes a manual adjustment back, also one that nobody approved: then nobody can any more.</summary>
    public static LedgerRecord AdjustmentReverted(
        string id, string metric, string customer, Instant at, Quantity delta, string actor, Instant now) => LedgerRecord.OfControl(
        RevertKey(RecordKind.AdjustmentApproved, id), RecordKind.AdjustmentReverted,
        new ControlBody { Subject = id, Metric = metric, Customer = customer, At = at, Quantity = delta, Actor = actor }, now);

    /// <summary>Counts a late event, whole.</summary>
    public static LedgerRecord LateEventApproved(string eventKey, UsageEvent usage, string actor, Instant now) => LedgerRecord.OfControl(
        ApprovalKey(RecordKind.LateEventApproved, eventKey), RecordKind.LateEventApproved, OfEvent(eventKey, usage, actor), now);

    /// <summary>Takes a late event back, also one that nobody approved: then nobody can any more.</summary>
    public static LedgerRecord LateEventReverted(string eventKey, UsageEvent usage, string actor, Instant now) => LedgerRecord.OfControl(
        RevertKey(RecordKind.LateEventApproved, eventKey), RecordKind.LateEventReverted, OfEvent(eventKey, usage, actor), now);

    /// <summary>Excludes the events of a session in one shard: a session is excluded by one record in each of its shards.</summary>
    public static LedgerRecord SessionExcluded(string session, int shard, string actor, Instant now) => LedgerRecord.OfControl(
        ExclusionKey(session, shard), RecordKind.SessionExcluded, new ControlBody { Subject = session, Actor = actor }, now);

    /// <summary>Changes where a customer's periods begin, from an instant on that is cut to its minute.</summary>
    /// <param name="id">Names the change.</param>
    /// <param name="customer">The customer.</param>
    /// <param name="from">From when it is wished. Periods that are closed stay, so it may hold only from later.</param>
    /// <param name="anchor">The new anchor.</param>
    /// <param name="closedBefore">Periods that ended at or before this are closed, which is judged here and never again.</param>
    /// <param name="actor">Who wishes it.</param>
    /// <param name="now">When it is taken in.</param>
    public static LedgerRecord AnchorChanged(
        string id, string customer, Instant from, PeriodAnchor anchor, Instant closedBefore, string actor, Instant now) =>
        LedgerRecord.OfControl(
            $"anchor/{id}", RecordKind.AnchorChanged,
            new ControlBody
            {
                Subject = id, Customer = customer, At = from.ToMinute(), Anchor = anchor, ClosedBefore = closedBefore, Actor = actor,
            },
            now);

    /// <summary>Has the counter that counts <paramref name="at"/> counted anew. One repair may concern many counters, by a record each.</summary>
    public static LedgerRecord CounterRepaired(
        string id, string metric, string customer, Instant at, string actor, Instant now) => LedgerRecord.OfControl(
        $"repair/{id}/{at.Ticks.ToString(CultureInfo.InvariantCulture)}/{metric.Length.ToString(CultureInfo.InvariantCulture)}:{metric}{customer}",
        RecordKind.CounterRepaired,
        new ControlBody { Subject = id, Metric = metric, Customer = customer, At = at, Actor = actor }, now);

    /// <summary>Under which an approval stands, of a manual adjustment (by its id) or of a late event (by its key).</summary>
    public static string ApprovalKey(RecordKind approval, string subject) => $"{Prefix(approval)}/{subject}/approved";

    /// <summary>Under which the revert that belongs to an approval stands.</summary>
    public static string RevertKey(RecordKind approval, string subject) => $"{Prefix(approval)}/{subject}/reverted";

    /// <summary>Under which the exclusion of a session in a shard stands.</summary>
    public static string ExclusionKey(string session, int shard) => FormattableString.Invariant($"session/{session}/excluded/{shard}");

    private static string Prefix(RecordKind approval) => approval switch
    {
        RecordKind.AdjustmentApproved => "adjustment",
        RecordKind.LateEventApproved => "late",
        _ => throw new ArgumentOutOfRangeException(nameof(approval), approval, "Only approvals can be reverted."),
    };

    private static ControlBody OfEvent(string key, UsageEvent usage, string actor)
    {
        ArgumentNullException.ThrowIfNull(usage);
        return new ControlBody
        {
            Subject = key, Metric = usage.Metric, Customer = usage.Customer, At = usage.Timestamp, Quantity = usage.Quantity,
            Actor = actor,
        };
    }
}
