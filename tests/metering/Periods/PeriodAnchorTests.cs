using CsCheck;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Tests.Periods;

public sealed class PeriodAnchorTests
{
    private static readonly Gen<Instant> Instants = Gen.Long[Instant.Minimum.Ticks, Instant.Maximum.Ticks].Select(ticks => new Instant(ticks));

    private static readonly Gen<PeriodAnchor> Anchors = Gen.Select(Gen.Int[1, 31], Gen.Int[0, 1439], (day, minute) => new PeriodAnchor(day, minute));

    [Theory]
    [InlineData(31, 0, "2026-02-15T00:00:00Z", "2026-01-31T00:00:00Z", "2026-02-28T00:00:00Z")]
    [InlineData(31, 0, "2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "2024-03-31T00:00:00Z")]
    [InlineData(30, 870, "2026-02-28T14:29:59.9999999Z", "2026-01-30T14:30:00Z", "2026-02-28T14:30:00Z")]
    [InlineData(15, 1439, "2025-12-31T12:00:00Z", "2025-12-15T23:59:00Z", "2026-01-15T23:59:00Z")]
    [InlineData(1, 1, "2026-01-01T00:00:59Z", "2025-12-01T00:01:00Z", "2026-01-01T00:01:00Z")]
    public void PeriodOf_ShortMonthsYearEndsAndMinutes_HasItsBoundariesThere(int day, int minute, string at, string start, string end) =>
        Assert.Equal(new BillingPeriod(At(start), At(end)), new PeriodAnchor(day, minute).PeriodOf(At(at)));

    /// <summary>Stripe's cycle begins somewhere within that minute, of which the last second is therefore taken for a stamp.</summary>
    [Theory]
    [InlineData("2026-01-16T14:30:00Z", 16, 870)]
    [InlineData("2026-01-16T14:30:00.1Z", 16, 870)]
    [InlineData("2026-01-16T14:30:59.9Z", 16, 870)]
    [InlineData("2026-02-28T23:59:12Z", 28, 1439)]
    [InlineData("9999-12-31T23:59:59.9999999Z", 31, 1439)]
    public void At_AnInstantWithSeconds_IsCutToItsMinute(string instant, int day, int minute) =>
        Assert.Equal(new PeriodAnchor(day, minute), PeriodAnchor.At(At(instant)));

    [Theory]
    [InlineData("2026-03-10T00:00:00Z", "2026-03-11T12:00:00Z", "2026-03-10T00:00:00Z", "2026-04-10T00:00:00Z")]
    [InlineData("2026-03-10T00:00:00Z", "2026-06-11T12:00:00Z", "2026-06-10T00:00:00Z", "2026-07-10T00:00:00Z")]
    [InlineData("2026-02-28T00:00:00Z", "2026-02-28T00:00:00Z", "2026-02-28T00:00:00Z", "2026-03-28T00:00:00Z")]
    [InlineData("2026-03-10T00:00:30Z", "2026-03-10T00:00:40Z", "2026-03-10T00:00:30Z", "2026-04-10T00:00:00Z")]
    public void Following_AnInstantBehindAnEnd_IsInAPeriodThatGoesOnFromThere(string ended, string at, string start, string end) =>
        Assert.Equal(new BillingPeriod(At(start), At(end)), PeriodAnchor.Following(At(ended), At(at)));

    [Fact]
    public void PeriodOf_AnyInstant_HoldsItAndAdjoinsItsNeighbours() => Gen.Select(Anchors, Instants).Sample((anchor, instant) =>
    {
        var period = anchor.PeriodOf(instant);

        Assert.True(period.Contains(instant) || instant == Instant.Maximum);
        if (period.Start > Instant.Minimum)
            Assert.Equal(period.Start, anchor.PeriodOf(new Instant(period.Start.Ticks - 1)).End);
        if (period.End < Instant.Maximum)
            Assert.Equal(period.End, anchor.PeriodOf(period.End).Start);
    });

    [Fact]
    public void History_AChange_CutsThePeriodItFallsIn()
    {
        var history = AnchorHistory.Calendar.With(Change(5, "2026-03-10T12:00:30Z", new PeriodAnchor(10, 720), closedBefore: "2026-03-01T00:00:00Z"));

        Assert.Equal(new BillingPeriod(At("2026-03-01T00:00:00Z"), At("2026-03-10T12:00:00Z")), history.PeriodOf(At("2026-03-05T00:00:00Z")));
        Assert.Equal(new BillingPeriod(At("2026-03-10T12:00:00Z"), At("2026-04-10T12:00:00Z")), history.PeriodOf(At("2026-03-31T23:00:00Z")));
        Assert.Equal((0L, 5L, 5L), (RecutOf("2026-02-01T00:00:00Z"), RecutOf("2026-03-01T00:00:00Z"), RecutOf("2026-03-10T12:00:00Z")));

        long RecutOf(string start) => history.RecutOf(At(start));
    }

    [Fact]
    public void History_AChangeOfClosedPeriods_HoldsFromTheOldestOpenOne()
    {
        var history = AnchorHistory.Calendar.With(Change(5, "2026-01-10T00:00:00Z", new PeriodAnchor(10, 0), closedBefore: "2026-03-04T00:00:00Z"));

        Assert.Equal(new BillingPeriod(At("2026-02-01T00:00:00Z"), At("2026-03-01T00:00:00Z")), history.PeriodOf(At("2026-02-15T00:00:00Z")));
        Assert.Equal(new BillingPeriod(At("2026-03-01T00:00:00Z"), At("2026-03-10T00:00:00Z")), history.PeriodOf(At("2026-03-04T00:00:00Z")));
        Assert.Equal(At("2026-03-01T00:00:00Z"), history.LastRecutFrom);
    }

    [Fact]
    public void History_ALaterChangeOfAnEarlierTime_TakesThePlaceOfTheOneBefore()
    {
        var history = AnchorHistory.Calendar
            .With(Change(5, "2026-03-20T00:00:00Z", new PeriodAnchor(20, 0), closedBefore: "2026-01-01T00:00:00Z"))
            .With(Change(6, "2026-03-10T00:00:00Z", new PeriodAnchor(10, 0), closedBefore: "2026-01-01T00:00:00Z"));

        Assert.Equal(new BillingPeriod(At("2026-03-10T00:00:00Z"), At("2026-04-10T00:00:00Z")), history.PeriodOf(At("2026-03-25T00:00:00Z")));
    }

    [Fact]
    public void History_AChangeThatJudgesLessClosed_LeavesClosedPeriodsAlone()
    {
        var history = AnchorHistory.Calendar
            .With(Change(5, "2026-03-20T00:00:00Z", new PeriodAnchor(20, 0), closedBefore: "2026-03-01T00:00:00Z"))
            .With(Change(6, "2026-01-10T00:00:00Z", new PeriodAnchor(10, 0), closedBefore: "2026-01-01T00:00:00Z"));

        Assert.Equal(new BillingPeriod(At("2026-02-01T00:00:00Z"), At("2026-03-01T00:00:00Z")), history.PeriodOf(At("2026-02-15T00:00:00Z")));
        Assert.Equal(At("2026-03-01T00:00:00Z"), history.LastRecutFrom);
    }

    private static Countable Change(long position, string from, PeriodAnchor anchor, string closedBefore) => Countable.Of(new PositionedRecord(
        position, ControlRecords.AnchorChanged($"{position}", "c", At(from), anchor, At(closedBefore), "", At(from))));

    private static Instant At(string text)
    {
        Assert.Equal(InstantTextError.None, InstantText.Read(text, out var instant));
        return instant;
    }
}
