using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;
using static StripeMeter.Pusher.Tests.Protocol.Documents;

namespace StripeMeter.Pusher.Tests.Protocol;

/// <summary>What becomes of what was told once periods are cut otherwise: a customer is anchored elsewhere.</summary>
public sealed class PeriodCutTests
{
    private static readonly Instant Cut = Noon - TimeSpan.FromMinutes(30);
    private static readonly BillingPeriod Before = new(March.Start, Cut);
    private static readonly BillingPeriod After = new(Cut, Cut + TimeSpan.FromDays(31));
    private readonly PushRules _rules = new();
    private readonly PushProtocol _protocol;
    private readonly Documents _documents;
    private readonly List<PushIntent> _history = [];

    public PeriodCutTests()
    {
        _protocol = new PushProtocol(_rules, () => 0);
        _documents = new Documents(_protocol);
    }

    private Instant Later => Noon + _rules.CutPatience;

    /// <summary>What Stripe was told behind the cut it has in the period behind it: nothing is to be told again, or taken back.</summary>
    [Fact]
    public void Told_BehindTheCut_CountsInThePeriodBehindIt()
    {
        var cut = Counted(Told(10), before: 0, after: 10);

        var sorted = Sorted(cut);

        Assert.Equal((Quantity.Zero, Quantity.FromInteger(10)), (AcceptedOf(sorted, Before), AcceptedOf(sorted, After)));
        Assert.Null(sorted.Due);
        Assert.IsType<PushStep.Rest>(_protocol.Next(sorted, Later, 1));
    }

    /// <summary>A line that began at the cut bills nothing stamped before it, so nothing could be taken back there.</summary>
    [Fact]
    public void Told_WhereTheLineBeganAtTheCut_IsNotTakenBackFromBeforeIt()
    {
        var billed = _protocol.SetBilledFrom(Told(10), Cut, Noon);

        var sorted = Sorted(Counted(billed, before: 4, after: 6));

        Assert.Equal((Quantity.FromInteger(4), Quantity.FromInteger(-4)), (OutstandingOf(sorted, Before), OutstandingOf(sorted, After)));
        var correction = _documents.Attempted(sorted, Later).Open!;
        Assert.Equal((After, Quantity.FromInteger(-4)), (correction.Period, correction.Value));
    }

    [Fact]
    public void Told_BeforeTheCut_StaysWhereItWasTold()
    {
        var told = Close(_documents.Raised(3, now: Cut - TimeSpan.FromHours(2)), Cut - TimeSpan.FromHours(2));
        told = Close(_documents.Raised(10, document: told, version: 2), Noon);

        var sorted = Sorted(Counted(told, before: 3, after: 7));

        Assert.Equal((Quantity.FromInteger(3), Quantity.FromInteger(7)), (AcceptedOf(sorted, Before), AcceptedOf(sorted, After)));
    }

    /// <summary>Of the two counters one is counted anew before the other; meanwhile nothing is told, and the period is there already.</summary>
    [Fact]
    public void Told_BehindTheCut_WaitsForTheCounterThere()
    {
        var half = _protocol.Raise(Told(10), Before, Recounted(0, Before), Meter, March.Start, Noon);

        var sorted = Sorted(half);

        Assert.Equal(After, sorted.Find(Cut)!.Period);
        Assert.Equal(Quantity.FromInteger(10), AcceptedOf(sorted, After));
        Assert.IsType<PushStep.Rest>(_protocol.Next(sorted, Noon, 1));
        var whole = _protocol.Raise(sorted, After, Recounted(10, After), Meter, March.Start, Noon);
        Assert.Null(whole.Due);
    }

    /// <summary>If nothing is ever counted there, what was told is taken back in the end.</summary>
    [Fact]
    public void Told_BehindTheCut_WhereNothingIsCounted_IsTakenBackAfterAWhile()
    {
        var sorted = Sorted(_protocol.Raise(Told(10), Before, Recounted(10, Before), Meter, March.Start, Noon));

        var first = Close(sorted, Later);
        var second = _documents.Attempted(first, Later + TimeSpan.FromMinutes(1)).Open!;

        Assert.Equal([(Before, Quantity.FromInteger(10)), (After, Quantity.FromInteger(-10))], [Last(_history), (second.Period, second.Value)]);
        Assert.True(After.Contains(second.Minute));
    }

    [Fact]
    public void Intent_UnderWayWhenPeriodsAreCut_CountsWhereItsTimestampLies()
    {
        var sent = _documents.Attempted(_documents.Raised(10), Noon);
        var sorted = Sorted(Counted(sent, before: 4, after: 6));

        var settled = _documents.Closed(_documents.Applied(sorted, AttemptResult.Accepted, Noon), Noon).Document;

        Assert.Equal((Quantity.Zero, Quantity.FromInteger(10)), (AcceptedOf(settled, Before), AcceptedOf(settled, After)));
    }

    [Fact]
    public void Intent_FoundMissingAfterTheCut_IsTakenBackFromWhereItCounts()
    {
        var told = _documents.Applied(_documents.Attempted(_documents.Raised(10), Noon), AttemptResult.Duplicate, Noon);
        told = Entered(_documents.Closed(told, Noon));
        var sorted = Sorted(Counted(told, before: 0, after: 10));

        var missing = _documents.Read(sorted, Noon + _rules.ResendWindow + _rules.SettleTime, 0);
        var taken = _documents.Closed(missing, Noon).Document;

        Assert.Equal((Quantity.Zero, Quantity.FromInteger(10)), (AcceptedOf(taken, After), OutstandingOf(taken, After)));
    }

    [Fact]
    public void Period_RaisedFromAnOlderCounter_KeepsItsBounds()
    {
        var cut = Counted(Told(10), before: 0, after: 10);

        Assert.Same(cut, _protocol.Raise(cut, March, Documents.Counted(10), Meter, March.Start, Noon));
    }

    /// <summary>Cut once more, and earlier: the period that began at the first cut is none any more.</summary>
    [Fact]
    public void Period_ThatIsNoneAnyMore_LeavesWhatItHadToTheOneAroundIt()
    {
        var sorted = Sorted(Counted(Told(10), before: 4, after: 6));
        var earlier = new BillingPeriod(Cut - TimeSpan.FromHours(1), Cut + TimeSpan.FromDays(30));
        var recut = _protocol.Raise(sorted, earlier, Recounted(10, earlier, recut: 2), Meter, March.Start, Noon);
        recut = _protocol.Raise(recut, After, Recounted(0, After, recut: 2), Meter, March.Start, Noon);
        recut = _protocol.Raise(
            recut, Before with { End = earlier.Start }, Recounted(0, Before, recut: 2), Meter, March.Start, Noon);

        var again = Sorted(recut);

        Assert.Equal((Quantity.FromInteger(10), Quantity.Zero, Quantity.Zero), (AcceptedOf(again, earlier), AcceptedOf(again, After), AcceptedOf(again, Before)));
        Assert.Equal([Before.Start, earlier.Start], again.Present.Select(delta => delta.Period.Start));
        Assert.Null(again.Due);
    }

    [Fact]
    public void RunningTotal_OfEachPeriod_IsTheNewestThatWasToldInIt()
    {
        var meter = Meter with { Sink = SinkKind.RunningTotal };
        var told = Empty with { Meter = meter };
        foreach (var (at, value) in new[] { (Cut - TimeSpan.FromHours(3), 3), (Cut - TimeSpan.FromHours(2), 5), (Noon, 9) })
            told = Close(_protocol.Raise(told, March, Documents.Counted(value, value, at), meter, March.Start, at), at);

        var cut = _protocol.Raise(told, Before, Recounted(5, Before), meter, March.Start, Noon);
        cut = _protocol.Raise(cut, After, Recounted(9, After), meter, March.Start, Noon);
        var sorted = Sorted(cut);

        Assert.Equal((Quantity.FromInteger(5), Quantity.FromInteger(9)), (AcceptedOf(sorted, Before), AcceptedOf(sorted, After)));
        Assert.Null(sorted.Due);
    }

    [Fact]
    public void HourTotals_GoWithTheirHour()
    {
        var meter = Meter with { Sink = SinkKind.HourTotals };
        var told = Empty with { Meter = meter };
        foreach (var (at, value) in new[] { (Cut - TimeSpan.FromHours(3), 3), (Noon, 9) })
            told = Close(_protocol.Raise(told, March, Documents.Counted(value, value, at), meter, March.Start, at), at);

        var cut = _protocol.Raise(told, Before, Recounted(3, Before), meter, March.Start, Noon);
        var sorted = Sorted(_protocol.Raise(cut, After, Recounted(6, After), meter, March.Start, Noon));

        Assert.Equal((Quantity.FromInteger(3), Quantity.FromInteger(6)), (AcceptedOf(sorted, Before), AcceptedOf(sorted, After)));
        Assert.Equal([Noon], sorted.Find(Cut)!.Slots.Select(slot => slot.Start));
        Assert.Null(sorted.Due);
    }

    /// <summary>An audit reads what was told of a period from there on, whatever came before.</summary>
    [Fact]
    public void FirstClosing_OfAPeriod_IsWhereTheFirstOfWhatCountsInItBegan()
    {
        var february = new BillingPeriod(Instant.OfDate(2026, 2, 1), March.Start);
        var told = Close(_documents.Raised(5, february, february.End - TimeSpan.FromDays(3)), february.End - TimeSpan.FromDays(3));
        told = Close(_documents.Raised(10, document: told, version: 2), Noon);

        var cut = Counted(told, before: 0, after: 10);
        Assert.Equal(1, Assert.IsType<PushStep.Sort>(_protocol.Next(cut, Noon, 1)).AfterClosing);
        var sorted = _protocol.Sort(cut, [_history[1]], Noon);

        Assert.Equal([0L, 1, 1], sorted.Periods.Select(delta => delta.FirstClosing));
        Assert.Equal(["5", "0", "10"], sorted.Periods.Select(delta => delta.Accepted.ToString()));
    }

    /// <summary>The next month needs no history to be read.</summary>
    [Fact]
    public void Period_ThatFollowsAnother_IsNotSorted() =>
        Assert.Null(_documents.Raised(5, April, April.Start + TimeSpan.FromDays(1), Told(10)).CutFrom);

    /// <summary>A carried amount goes where periods go on from the last one known, whatever the customer is anchored to.</summary>
    [Fact]
    public void Carried_IsToldInThePeriodThatFollows_AsOfThen()
    {
        var late = After.End + TimeSpan.FromDays(3);
        var document = _protocol.Raise(Empty, After, Documents.Counted(5), Meter, March.Start, late);

        var carried = Assert.IsType<PushStep.Keep>(_protocol.Next(document, late, 1)).Document;
        var intent = _documents.Attempted(_documents.Closed(carried, late).Document, late).Open!;

        Assert.Equal(new BillingPeriod(After.End, After.End + TimeSpan.FromDays(30)), intent.Period);
        Assert.Equal(late.ToMinute(), intent.Minute);
    }

    private static Contribution Recounted(long value, BillingPeriod period, long recut = 1) =>
        Documents.Counted(value, 1, Instant.Min(Noon, period.End - TimeSpan.FromHours(1))) with { Version = new CounterVersion(recut, recut) };

    private static Quantity AcceptedOf(DeltaDocument document, BillingPeriod period) => document.Find(period.Start)!.Accepted;

    private static Quantity OutstandingOf(DeltaDocument document, BillingPeriod period) => document.Find(period.Start)!.Outstanding;

    private static (BillingPeriod Period, Quantity Value) Last(List<PushIntent> history) => (history[^1].Period, history[^1].Value);

    private DeltaDocument Told(long value) => Close(_documents.Raised(value), Noon);

    private DeltaDocument Counted(DeltaDocument document, long before, long after)
    {
        var raised = _protocol.Raise(document, Before, Recounted(before, Before), Meter, March.Start, Noon);
        return _protocol.Raise(raised, After, Recounted(after, After), Meter, March.Start, Noon);
    }

    private DeltaDocument Close(DeltaDocument document, Instant now) =>
        Entered(_documents.Closed(_documents.Applied(_documents.Attempted(document, now), AttemptResult.Accepted, now), now));

    private DeltaDocument Entered(PushStep.Close step)
    {
        _history.Add(step.Intent);
        return step.Document;
    }

    /// <summary>Nothing is sent before it is sorted.</summary>
    private DeltaDocument Sorted(DeltaDocument document)
    {
        Assert.Equal(0, Assert.IsType<PushStep.Sort>(_protocol.Next(document, Noon, 1)).AfterClosing);
        return _protocol.Sort(document, _history, Noon);
    }
}
