using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pushing;

/// <summary>What the next intent of a period would be, or when there may be one.</summary>
/// <param name="Stamp">Its timestamp; null if there is none to be had now.</param>
/// <param name="From">When it may be minted; without a stamp, when to look again. Null: never.</param>
/// <param name="Value">The part of the difference it tells.</param>
/// <param name="Total">What is sent, where that is a total and not the difference.</param>
internal readonly record struct PlannedPush(Instant? Stamp, Instant? From, Quantity Value, Quantity? Total)
{
    private static readonly TimeSpan OneSecond = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan OneMinute = TimeSpan.FromMinutes(1);

    public static PlannedPush Of(DeltaDocument document, PeriodDelta delta, PushRules rules, Instant now) => document.Meter.Sink switch
    {
        SinkKind.HourTotals => OfWindow(document, delta, TimeSpan.FromHours(1), rules, now),
        SinkKind.DayTotals => OfWindow(document, delta, TimeSpan.FromDays(1), rules, now),
        SinkKind.RunningTotal => OfRunningTotal(document, delta, now),
        SinkKind.UsageRecords => OfUsageRecord(document, delta, now),
        _ => OfDifference(document, delta, rules, now),
    };

    /// <summary>
    /// Whether an intent has a stamp from before its line began, as was learned since it was minted. A usage record has the
    /// one of its period, come what may.
    /// </summary>
    public static bool IsTooEarly(DeltaDocument document, PushIntent intent) =>
        intent.Meter.Sink != SinkKind.UsageRecords && intent.Minute < document.BilledFrom;

    private static PlannedPush OfDifference(DeltaDocument document, PeriodDelta delta, PushRules rules, Instant now)
    {
        var stamp = StampMinute.For(document, delta, rules, now);
        return new PlannedPush(stamp.Minute, stamp.From, PushValue.FirstPartOf(delta.Outstanding), null);
    }

    /// <summary>
    /// The total of the newest counted hour or day that is whole within the period. One that a period's edge cuts would
    /// be overwritten by what belongs to the other period.
    /// </summary>
    private static PlannedPush OfWindow(DeltaDocument document, PeriodDelta delta, TimeSpan window, PushRules rules, Instant now)
    {
        var first = Instant.Max(
            Instant.Max(delta.Period.Start.Ceiling(window), document.BilledFrom.Ceiling(window)), (now - rules.OldestMinute).Ceiling(window));
        var end = delta.Period.End.Floor(window) - window;
        var last = Instant.Min(end, now.Floor(window));
        if (first > end)
            return default;
        if (first > last)
            return default(PlannedPush) with { From = first };
        var start = Instant.Max(first, Instant.Min(last, delta.Newest.Floor(window)));
        var told = delta.Slots.FirstOrDefault(slot => slot.Start == start).Told;
        var total = PushValue.FirstPartOf(told + delta.Outstanding);
        return Telling(start, Instant.Minimum, total - told, total);
    }

    /// <summary>
    /// The period's total, stamped later than the one before: the newest timestamp wins, whatever comes last. In the last
    /// minute of a period there are sixty stamps, used one a minute.
    /// </summary>
    private static PlannedPush OfRunningTotal(DeltaDocument document, PeriodDelta delta, Instant now)
    {
        // Summaries are cut at minutes, so a minute that a period's edge cuts would not be seen.
        var end = delta.Period.End.ToMinute() - OneSecond;
        var last = Instant.Min(end, Instant.FromUnixSeconds(now.ToUnixSeconds()));
        var first = Instant.Max(delta.Earliest, document.BilledFrom.Ceiling(OneSecond));
        if (first > last)
            return default(PlannedPush) with { From = first > end ? null : first };
        var stamp = Instant.Max(first, Instant.Min(last, delta.Newest.ToMinute()));
        if (delta.Slots.Count > 0)
            stamp = Instant.Max(stamp, delta.Slots[0].Stamp + OneSecond);
        if (stamp > last)
            return default(PlannedPush) with { From = stamp > end ? null : stamp };
        var from = end - stamp < OneMinute && document.LastMinted is { } minted ? minted + OneMinute : Instant.Minimum;
        var total = PushValue.FirstPartOf(delta.Expected);
        return Telling(stamp, from, total - delta.Accepted, total);
    }

    /// <summary>
    /// The whole units of the period's total, always at the same minute, where a record is set anew: the first that is whole
    /// within the period and behind the item's beginning, and where one stands already, there.
    /// </summary>
    private static PlannedPush OfUsageRecord(DeltaDocument document, PeriodDelta delta, Instant now)
    {
        var first = Instant.Max(delta.Earliest, document.BilledFrom.Ceiling(OneMinute));
        var stamp = delta.Slots.Count > 0 ? delta.Slots[0].Stamp : first;
        if (stamp >= delta.Period.End)
            return default;
        if (stamp > now)
            return default(PlannedPush) with { From = stamp };
        var whole = delta.Expected < Quantity.Zero ? Quantity.Zero : delta.Expected.Truncated();
        // Where periods that are one now had a record each, the others stay as they are.
        var others = delta.Slots.Skip(1).Aggregate(Quantity.Zero, (sum, slot) => sum + slot.Told);
        var total = PushValue.FirstPartOf(whole < others ? Quantity.Zero : whole - others);
        return Telling(stamp, Instant.Minimum, total - (delta.Accepted - others), total);
    }

    /// <summary>A total whose last digits cannot be told may already be told as far as it can.</summary>
    private static PlannedPush Telling(Instant stamp, Instant from, Quantity value, Quantity total) =>
        value == Quantity.Zero ? default : new PlannedPush(stamp, from, value, total);
}
