using StripeMeter.Gateway.Counters;
using StripeMeter.Gateway.Deltas;
using StripeMeter.Gateway.Events;
using StripeMeter.Gateway.Requests;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Explaining;

/// <summary>What became of an event: its place in the ledger, its counter, and what Stripe was told of it.</summary>
/// <param name="Record">The event, and whether it counts.</param>
/// <param name="Counter">The counter of its billing period. Absent if nothing was counted there yet.</param>
/// <param name="Settled">Whether the counter holds already what became of the event.</param>
/// <param name="Deltas">What Stripe should know of the counter, and knows. Absent if the pusher did not answer.</param>
public sealed record EventExplanation(
    TracedRecord Record, CounterAnswer? Counter, bool Settled, IReadOnlyList<DeltaAnswer>? Deltas);

/// <summary>A counter and the records of its billing period, those too that do not count.</summary>
/// <param name="PeriodStart">Start of the billing period, inclusive.</param>
/// <param name="PeriodEnd">Its end, exclusive.</param>
/// <param name="Counter">The counter. Absent if nothing was counted yet.</param>
/// <param name="Records">In the order of their timestamps. May be fewer than the limit although there is a next page.</param>
/// <param name="Deltas">What Stripe should know of the counter, and knows. On the first page only; absent if the pusher did not answer.</param>
/// <param name="NextCursor">Where the next page begins. Absent on the last.</param>
public sealed record CounterExplanation(
    string? PeriodStart, string? PeriodEnd, CounterAnswer? Counter, IReadOnlyList<TracedRecord> Records,
    IReadOnlyList<DeltaAnswer>? Deltas, string? NextCursor);

/// <summary>An event or a correction of the ledger, and what became of it.</summary>
/// <param name="Event">The event. Absent for a correction.</param>
/// <param name="AdjustmentId">Under which a correction, or a late event, is found among the adjustments.</param>
/// <param name="Quantity">What it adds to the sum where it counts.</param>
/// <param name="Standing">counted, held, approved, reverted or excluded.</param>
/// <param name="Counts">Whether it counts.</param>
/// <param name="Shard">The shard of the ledger.</param>
/// <param name="Position">Its place in the shard.</param>
/// <param name="PeriodStart">Start of its billing period, inclusive.</param>
/// <param name="PeriodEnd">Its end, exclusive.</param>
/// <param name="ApprovePosition">Of a late event that was approved: place of the approval.</param>
/// <param name="TakenBackPosition">Place of the record that takes it back.</param>
/// <param name="SessionId">The backfill it came by.</param>
public sealed record TracedRecord(
    EventAnswer? Event, string? AdjustmentId, ExactNumber Quantity, string Standing, bool Counts, int Shard, long Position,
    string? PeriodStart, string? PeriodEnd, long? ApprovePosition, long? TakenBackPosition, string? SessionId)
{
    internal static TracedRecord Of(RecordTrail trail) => new(
        trail.Event is null ? null : ListEventsEndpoint.ToAnswer(trail.Event),
        trail.AdjustmentId.OrNull(),
        new ExactNumber(trail.Quantity),
        trail.Standing.ToString().ToLowerInvariant(),
        trail.Standing is RecordStanding.Counted or RecordStanding.Approved,
        trail.Shard,
        trail.Position,
        RestTime.Write(trail.PeriodStart),
        RestTime.Write(trail.PeriodEnd),
        trail.ApprovePosition > 0 ? trail.ApprovePosition : null,
        trail.TakenBackPosition > 0 ? trail.TakenBackPosition : null,
        trail.SessionId.OrNull());
}
