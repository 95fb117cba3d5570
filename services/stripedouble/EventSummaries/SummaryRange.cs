using StripeMeter.StripeDouble.Http;
using StripeMeter.StripeDouble.Meters;

namespace StripeMeter.StripeDouble.EventSummaries;

/// <summary>The time a list of summaries covers: [start, end) in seconds, cut into windows of a length, or whole.</summary>
/// <param name="StartSeconds">Inclusive.</param>
/// <param name="EndSeconds">Exclusive.</param>
/// <param name="WindowSeconds">Length of a window; the whole range when there is no grouping.</param>
internal readonly record struct SummaryRange(long StartSeconds, long EndSeconds, long WindowSeconds)
{
    private const long MinuteSeconds = 60;

    /// <exception cref="StripeRefusal">A bound is missing, in the wrong order, or not aligned to the minute, hour or day.</exception>
    public static SummaryRange Read(Parameters parameters)
    {
        var start = parameters.RequiredInteger("start_time");
        var end = parameters.RequiredInteger("end_time");
        var grouping = parameters.Choice("value_grouping_window", TimeWindow.Day, TimeWindow.Hour);
        var alignment = grouping is null ? MinuteSeconds : TimeWindow.Seconds(grouping);
        foreach (var (name, bound) in new[] { ("start_time", start), ("end_time", end) })
        {
            // Far beyond any billing, and small enough to calculate with.
            if (bound is < 0 or > uint.MaxValue)
                throw StripeRefusal.Invalid(name, $"{name} is out of range.", "parameter_invalid_integer");
            if (bound % alignment != 0)
                throw StripeRefusal.Invalid(name, $"{name} must be aligned to the {grouping ?? "minute"} in UTC.");
        }

        return start < end
            ? new(start, end, grouping is null ? end - start : alignment)
            : throw StripeRefusal.Invalid("end_time", "end_time must be after start_time.");
    }

    /// <summary>The start of the window that holds an instant of the range.</summary>
    public long WindowOf(long instantSeconds) => instantSeconds - ((instantSeconds - StartSeconds) % WindowSeconds);
}
