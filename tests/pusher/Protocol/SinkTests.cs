using CsCheck;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;
using StripeMeter.Pusher.Tests.Simulating;
using static StripeMeter.Pusher.Tests.Protocol.Documents;

namespace StripeMeter.Pusher.Tests.Protocol;

/// <summary>Sinks that overwrite: what they are told, when, and what settles it.</summary>
public sealed class SinkTests
{
    private static readonly TimeSpan OneHour = TimeSpan.FromHours(1);
    private readonly PushRules _rules = new();
    private readonly PushProtocol _protocol;
    private readonly Documents _documents;

    public SinkTests()
    {
        _protocol = new PushProtocol(_rules, () => 0);
        _documents = new Documents(_protocol);
    }

    [Fact]
    public void HourTotals_OfSeveralHours_AddUp()
    {
        var document = _documents.Told(Raised(SinkKind.HourTotals, 5, 1, Noon), Noon);
        document = _documents.Told(Raised(SinkKind.HourTotals, 8, 2, Noon + TimeSpan.FromMinutes(59), document), Noon + TimeSpan.FromMinutes(59));
        document = _documents.Told(Raised(SinkKind.HourTotals, 6, 3, Noon + OneHour, document), Noon + OneHour);

        var delta = document.Periods[0];
        Assert.Equal(Quantity.FromInteger(6), delta.Accepted);
        Assert.Equal(
            [(Noon, Quantity.FromInteger(8)), (Noon + OneHour, Quantity.FromInteger(-2))], delta.Slots.Select(slot => (slot.Start, slot.Told)));
    }

    /// <summary>Slots of usage records were once kept under the start of their period; the record there is set anew, and not added to.</summary>
    [Fact]
    public void UsageRecords_WithASlotOfFormerTimes_OverwriteIt()
    {
        var document = Raised(SinkKind.UsageRecords, 5, 1, Noon);
        document = document with { Periods = [document.Periods[0] with { Accepted = Quantity.FromInteger(5), Slots = [new ToldSlot(March.Start, Quantity.FromInteger(5), 1, Noon)] }], Minted = 1 };

        var delta = _documents.Told(Raised(SinkKind.UsageRecords, 8, 2, Noon + OneHour, document), Noon + OneHour).Periods[0];

        Assert.Equal((Quantity.FromInteger(8), Quantity.FromInteger(8), 2), (delta.Accepted, Assert.Single(delta.Slots).Told, delta.Slots[0].Number));
    }

    /// <summary>An hour that a period's edge cuts would be overwritten by the other period's usage.</summary>
    [Fact]
    public void HourTotals_AtTheEdgesOfAPeriod_StayInWholeHours()
    {
        var period = new BillingPeriod(March.Start + TimeSpan.FromMinutes(30), March.Start + TimeSpan.FromMinutes(210));
        var document = Empty with { Meter = Meter with { Sink = SinkKind.HourTotals } };
        var late = period.End - TimeSpan.FromMinutes(1);
        document = _protocol.Raise(document, period, Counted(1, newest: late), document.Meter, March.Start, late);

        Assert.Equal(March.Start + TimeSpan.FromHours(2), _documents.Attempted(document, late).Open!.Minute);

        var early = _protocol.Raise(
            Empty with { Meter = document.Meter }, period, Counted(1, newest: period.Start), document.Meter, March.Start, period.Start);
        Assert.Equal(March.Start + OneHour, early.Due);
    }

    [Fact]
    public void RunningTotal_OfUsageThatIsNotNewer_IsStampedLaterAllTheSame()
    {
        var document = _documents.Told(Raised(SinkKind.RunningTotal, 5, 1, Noon), Noon);
        var now = Noon + TimeSpan.FromMinutes(10);
        document = _documents.Attempted(Raised(SinkKind.RunningTotal, 3, 2, Noon, document, now), now);

        Assert.Equal(
            (Noon + TimeSpan.FromSeconds(1), Quantity.FromInteger(3), Quantity.FromInteger(-2)),
            (document.Open!.Minute, document.Open.Sent, document.Open.Value));
    }

    [Fact]
    public void RunningTotal_WithinTheGrace_LeavesStampsForCorrections()
    {
        var now = March.End + TimeSpan.FromMinutes(1);
        var last = March.End - TimeSpan.FromSeconds(1);
        var document = _documents.Told(Raised(SinkKind.RunningTotal, 5, 1, last, null, now), now);
        document = Raised(SinkKind.RunningTotal, 6, 2, last, document, now);

        Assert.Equal(now + TimeSpan.FromMinutes(1), document.Due);
        var intent = _documents.Attempted(document, document.Due!.Value).Open!;
        Assert.True(March.Contains(intent.Minute));
    }

    [Fact]
    public void RunningTotal_BeyondFifteenDigits_IsToldAsFarAsItGoes()
    {
        var document = Empty with { Meter = Meter with { Sink = SinkKind.RunningTotal } };
        var counted = Counted(0) with { Value = Quantity.Parse("123456789012345.678") };
        document = _protocol.Raise(document, March, counted, document.Meter, March.Start, Noon);

        document = _documents.Told(document, Noon);

        Assert.Equal("123456789012345", document.Periods[0].Accepted.ToString());
        Assert.IsNotType<PushStep.Attempt>(_protocol.Next(document, Noon + OneHour, 1));
    }

    [Fact]
    public void InDoubt_OfAnyAgeWhileItIsBilled_IsToldAgain() => TellsAgain(_protocol);

    [Fact]
    public void InDoubt_WithoutTheRuleThatATotalMayBeSentAtAnyAge_IsNotToldAgain()
    {
        var broken = new PushProtocol(_rules, () => 0, new ResendsTotalsForADay(_rules), new PeriodEnds(_rules, PeriodAnchor.Following));

        Assert.Throws<CsCheckException>(() => TellsAgain(broken));
    }

    /// <summary>What is told next carries everything, so what was lost before is no matter.</summary>
    [Fact]
    public void Missing_WhereALaterTotalStands_ChangesNothing()
    {
        var first = _documents.Told(Raised(SinkKind.HourTotals, 5, 1, Noon), Noon, AttemptResult.Duplicate);
        var second = _documents.Told(Raised(SinkKind.HourTotals, 9, 2, Noon, first), Noon);
        var settled = Noon + _rules.ResendWindow + _rules.SettleTime;

        var missing = _documents.Closed(_documents.Read(second, settled, 9), settled);

        Assert.Equal((IntentState.Missing, 0), (missing.Intent.State, missing.Document.Rejections));
        Assert.Equal(Quantity.FromInteger(9), missing.Document.Periods[0].Accepted);
    }

    [Fact]
    public void Missing_WhereNothingLaterStands_IsToldAgain()
    {
        var document = _documents.Told(Raised(SinkKind.HourTotals, 5, 1, Noon), Noon);
        document = _documents.Told(Raised(SinkKind.HourTotals, 9, 2, Noon, document), Noon, AttemptResult.Duplicate);
        var settled = Noon + _rules.ResendWindow + _rules.SettleTime;

        var missing = _documents.Closed(_documents.Read(document, settled, 5), settled).Document;

        Assert.Equal(Quantity.FromInteger(5), missing.Periods[0].Accepted);
        var again = _documents.Attempted(missing, missing.HeldUntil!.Value).Open!;
        Assert.Equal((Quantity.FromInteger(9), Noon), (again.Sent, again.Minute));
    }

    /// <summary>A total whose answer never came may have been overwritten by none: what the summaries hold counts.</summary>
    [Fact]
    public void Missing_WhereNothingWasSurelyTold_CountsWhatStands()
    {
        var document = _documents.Applied(_documents.Attempted(Raised(SinkKind.HourTotals, 5, 1, Noon), Noon), AttemptResult.Unknown, Noon);
        var billed = March.End + TimeSpan.FromDays(3);

        var missing = _documents.Closed(_documents.Read(document, billed, 3), billed);

        Assert.Equal(IntentState.Missing, missing.Intent.State);
        Assert.Equal(Quantity.FromInteger(3), missing.Document.Periods[0].Accepted);
    }

    /// <summary>The simulation has no legacy items: they take whole units only, so they never come to agree.</summary>
    private void TellsAgain(PushProtocol protocol)
    {
        var sinks = Gen.Int[1, 4].Select(number => (SinkKind)number);
        var latest = protocol.Ends.DeadlineOf(new PeriodDelta { Period = March }) - TimeSpan.FromSeconds(1);
        Gen.Select(sinks, Gen.Long[_rules.LongestRetry.Ticks, (latest - Noon).Ticks]).Sample((sink, age) =>
        {
            var document = _documents.Applied(_documents.Attempted(Raised(sink, 5, 1, Noon), Noon), AttemptResult.Unknown, Noon);

            var again = Assert.IsType<PushStep.Attempt>(protocol.Next(document, Noon + TimeSpan.FromTicks(age), 1)).Document.Open!;

            Assert.Equal((document.Open!.Identifier, document.Open.Sent), (again.Identifier, again.Sent));
        });
    }

    private DeltaDocument Raised(
        SinkKind sink, long value, long version, Instant newest, DeltaDocument? document = null, Instant? now = null)
    {
        var meter = Meter with { Sink = sink };
        return _protocol.Raise(document ?? Empty with { Meter = meter }, March, Counted(value, version, newest), meter, March.Start, now ?? newest);
    }
}
