using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pushing;

/// <summary>A minute for the next intent, or when there may be one.</summary>
/// <param name="Minute">The minute, or the second within it from which the period or the line surely runs; null if there is none now.</param>
/// <param name="From">When an intent may be minted with it; without a minute, when to look again. Null: never.</param>
internal readonly record struct StampMinute(Instant? Minute, Instant? From)
{
    private static readonly TimeSpan OneMinute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan OneSecond = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The newest free minute at or before the newest counted instant, so that usage is billed as of when it came about;
    /// only if there is none, the oldest free one behind it, because usage stamped a little late is billed and usage
    /// that is never sent is not. Always whole within the period, not in the future, and not older than Stripe takes.
    /// </summary>
    public static StampMinute For(DeltaDocument document, PeriodDelta delta, PushRules rules, Instant now)
    {
        // A line that begins within a minute bills what is left of it; a period's edge is where summaries are cut.
        var began = Instant.Max(delta.Earliest, document.BilledFrom.Ceiling(OneSecond));
        var first = Instant.Max(began.ToMinute(), (now - rules.OldestMinute).Ceiling(OneMinute));
        var end = delta.Period.End.ToMinute() - OneMinute;
        var last = Instant.Min(end, now.ToMinute());
        if (first > end)
            return new StampMinute(null, null);
        if (first > last)
            return new StampMinute(null, first);

        var top = Instant.Max(first, Instant.Min(last, delta.Newest.ToMinute()));
        if (document.Used.NewestFree(top, first) is { } before)
            return new StampMinute(Instant.Max(before, began), MayMintFrom(document, top - before, rules));
        if (document.Used.OldestFreeBehind(top, last) is { } behind)
            return new StampMinute(Instant.Max(behind, began), MayMintFrom(document, behind - top, rules));
        return new StampMinute(null, last < end ? now.ToMinute() + OneMinute : null);
    }

    /// <summary>At once near the newest instant, and for the rest of a split delta; else a minute after the last intent.</summary>
    private static Instant MayMintFrom(DeltaDocument document, TimeSpan distance, PushRules rules) =>
        document.IsSplit || document.LastMinted is not { } last || distance.Ticks <= rules.QuickMinutes * TimeSpan.TicksPerMinute
            ? Instant.Minimum
            : last + OneMinute;
}
