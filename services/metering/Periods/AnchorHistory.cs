using System.Collections.Immutable;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Periods;

/// <summary>
/// Where the periods of one customer begin, as the control records of its log have it up to some position. Calendar months
/// until the first change. A change cuts the period it falls in, as Stripe does when it resets a billing cycle: what is
/// before stays in a shorter period, and the next begins there.
/// </summary>
public sealed class AnchorHistory
{
    private readonly ImmutableArray<Segment> _segments;
    private readonly ImmutableArray<Recut> _recuts;
    private readonly Instant _closedBefore;

    private AnchorHistory(
        ImmutableArray<Segment> segments, ImmutableArray<Recut> recuts, Instant closedBefore, AnchorHistory? before) =>
        (_segments, _recuts, _closedBefore, Before) = (segments, recuts, closedBefore, before);

    /// <summary>Calendar months in UTC.</summary>
    public static AnchorHistory Calendar { get; } = new([new Segment(Instant.Minimum, PeriodAnchor.MonthStart)], [], Instant.Minimum, null);

    /// <summary>The history without the last change; null if there was none.</summary>
    public AnchorHistory? Before { get; }

    public BillingPeriod PeriodOf(Instant instant)
    {
        var index = _segments.Length - 1;
        while (_segments[index].From > instant)
            index--;
        var period = _segments[index].Anchor.PeriodOf(instant);
        var end = index + 1 < _segments.Length ? Instant.Min(period.End, _segments[index + 1].From) : period.End;
        return new BillingPeriod(Instant.Max(period.Start, _segments[index].From), end);
    }

    /// <summary>A period that was one once: as it is now if one still begins where it did, else as it was.</summary>
    public BillingPeriod Now(BillingPeriod former) => PeriodOf(former.Start) is var period && period.Start == former.Start ? period : former;

    /// <summary>
    /// The history with a change. Closed periods keep their bounds: it holds from the beginning of the oldest one that was
    /// open when the change was recorded, at the earliest. What an earlier change judged closed stays closed, should a later one,
    /// by a clock that is behind or by other settings, judge otherwise.
    /// </summary>
    public AnchorHistory With(in Countable change)
    {
        var control = change.Control ?? throw new ArgumentException("Only anchor changes change anchors.", nameof(change));
        var anchor = control.Anchor ?? throw new ArgumentException("Only anchor changes change anchors.", nameof(change));
        var closedBefore = Instant.Max(_closedBefore, control.ClosedBefore);
        var from = Instant.Max(control.At, PeriodOf(closedBefore).Start);
        var kept = _segments.Where(segment => segment.From < from);
        return new AnchorHistory(
            [.. kept, new Segment(from, anchor)], _recuts.Add(new Recut(change.Position, PeriodOf(from).Start)), closedBefore, this);
    }

    /// <summary>The last change that may have changed what a counter counts, by the start of its period; 0 if none did.</summary>
    public long RecutOf(Instant periodStart)
    {
        var last = 0L;
        foreach (var recut in _recuts)
            last = periodStart >= recut.From ? Math.Max(last, recut.Position) : last;
        return last;
    }

    /// <summary>From which start of a period on the last change has changed periods.</summary>
    public Instant LastRecutFrom => _recuts.Length > 0 ? _recuts[^1].From : Instant.Maximum;

    /// <summary>The history of a customer, as its log has it up to a position.</summary>
    public static async Task<AnchorHistory> ReadAsync(
        ILedger ledger, string customer, long upTo, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        var query = new EventQuery { Customer = customer, Metric = "", Controls = true, UpTo = upTo, Limit = PageChanges };
        var changes = new List<Countable>();
        while (true)
        {
            var page = await ledger.QueryAsync(query, cancellation).ConfigureAwait(false);
            changes.AddRange(page.Where(entry => entry.Record.Kind == RecordKind.AnchorChanged)
                .Select(entry => Countable.Of(new PositionedRecord(entry.Position, entry.Record))));
            if (page.Count < PageChanges)
                break;
            query = query with { After = EventCursor.Of(page[^1], query.Order) };
        }

        return changes.OrderBy(change => change.Position).Aggregate(Calendar, (history, change) => history.With(change));
    }

    private const int PageChanges = 100;

    private readonly record struct Segment(Instant From, PeriodAnchor Anchor);

    private readonly record struct Recut(long Position, Instant From);
}
