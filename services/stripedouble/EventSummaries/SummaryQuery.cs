using StripeMeter.Sqlite;
using StripeMeter.StripeDouble.MeterEvents;
using StripeMeter.StripeDouble.Meters;

namespace StripeMeter.StripeDouble.EventSummaries;

/// <summary>
/// Aggregates the events of one customer and meter, window by window, in one walk along the index. Memory does not grow with
/// the events or with the range.
/// </summary>
internal sealed class SummaryQuery(EmptySummaries empty)
{
    /// <param name="session">One consistent state.</param>
    /// <param name="meter">The meter.</param>
    /// <param name="customer">The customer.</param>
    /// <param name="range">The windows.</param>
    /// <param name="receivedByMs">Events received later are not seen yet.</param>
    /// <param name="newestFirst">The direction of the walk.</param>
    /// <param name="between">Only windows that start above the first and below the second.</param>
    public IEnumerable<Aggregate> Run(
        SqliteSession session, Meter meter, string customer, SummaryRange range, long receivedByMs, bool newestFirst,
        (long Above, long Below) between)
    {
        var start = between.Above < range.StartSeconds ? range.StartSeconds : range.WindowOf(between.Above) + range.WindowSeconds;
        var end = between.Below > range.EndSeconds ? range.EndSeconds : range.WindowOf(between.Below);
        if (start >= end)
            return [];
        var used = Group(Survivors(session, meter, customer, (start, end), receivedByMs, newestFirst), range);
        return empty == EmptySummaries.Zero ? WithEmpty(used, range, start, end, newestFirst) : used;
    }

    /// <summary>The events that count; of a meter with windows of its own only those received last in each of these.</summary>
    private static IEnumerable<CountedEvent> Survivors(
        SqliteSession session, Meter meter, string customer, (long Start, long End) seconds, long receivedByMs, bool newestFirst)
    {
        if (meter.WindowSeconds is not { } window)
            return MeterEventTable.Counted(session, meter, customer, seconds.Start, seconds.End, receivedByMs, newestFirst);
        // The event that overwrote another may lie outside the range.
        var (start, end) = (TimeWindow.Floor(seconds.Start, window), TimeWindow.Ceiling(seconds.End, window));
        return ReceivedLast(MeterEventTable.Counted(session, meter, customer, start, end, receivedByMs, newestFirst), window)
            .Where(counted => counted.TimestampSeconds >= seconds.Start && counted.TimestampSeconds < seconds.End);
    }

    private static IEnumerable<CountedEvent> ReceivedLast(IEnumerable<CountedEvent> ordered, long windowSeconds)
    {
        CountedEvent? newest = null;
        foreach (var counted in ordered)
        {
            var isSameWindow = newest is { } other
                && TimeWindow.Floor(other.TimestampSeconds, windowSeconds) == TimeWindow.Floor(counted.TimestampSeconds, windowSeconds);
            if (newest is { } finished && !isSameWindow)
                yield return finished;
            if (!isSameWindow || counted.Number > newest!.Value.Number)
                newest = counted;
        }

        if (newest is { } last)
            yield return last;
    }

    private static IEnumerable<Aggregate> Group(IEnumerable<CountedEvent> ordered, SummaryRange range)
    {
        Aggregate? open = null;
        foreach (var counted in ordered)
        {
            var window = range.WindowOf(counted.TimestampSeconds);
            if (open is { } finished && finished.WindowStartSeconds != window)
            {
                yield return finished;
                open = null;
            }

            open = (open ?? new Aggregate(window, MeterValue.Zero, null)).With(counted);
        }

        if (open is { } last)
            yield return last;
    }

    private static IEnumerable<Aggregate> WithEmpty(
        IEnumerable<Aggregate> used, SummaryRange range, long start, long end, bool newestFirst)
    {
        using var next = used.GetEnumerator();
        var hasNext = next.MoveNext();
        var step = newestFirst ? -range.WindowSeconds : range.WindowSeconds;
        for (var window = newestFirst ? end - range.WindowSeconds : start; window >= start && window < end; window += step)
        {
            if (!hasNext || next.Current.WindowStartSeconds != window)
            {
                yield return new Aggregate(window, MeterValue.Zero, null);
                continue;
            }

            yield return next.Current;
            hasNext = next.MoveNext();
        }
    }
}
