using CsCheck;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Tests.Periods;

public sealed class PeriodClockTests
{
    private static readonly PeriodClock Clock = PeriodClock.CalendarMonths;

    [Fact]
    public void PeriodOf_AnyInstant_IsItsMonthInUtc() =>
        Gen.Long[Instant.Minimum.Ticks, Instant.OfDate(9999, 12, 1).Ticks - 1].Select(ticks => new Instant(ticks)).Sample(instant =>
        {
            var period = Clock.PeriodOf("cus_1", instant);
            var (start, end) = (period.Start.ToUtc(), period.End.ToUtc());

            Assert.True(period.Contains(instant));
            Assert.Equal((instant.ToUtc().Year, instant.ToUtc().Month, 1, TimeSpan.Zero), (start.Year, start.Month, start.Day, start.TimeOfDay));
            Assert.Equal(start.AddMonths(1), end);
        });

    [Theory]
    [InlineData("2026-01-31T23:59:59.9999999Z", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")]
    [InlineData("2026-02-01T00:00:00Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z")]
    [InlineData("2024-02-29T12:00:00Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z")]
    [InlineData("2026-01-01T00:30:00+01:00", "2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z")]
    [InlineData("1969-12-31T23:59:59Z", "1969-12-01T00:00:00Z", "1970-01-01T00:00:00Z")]
    [InlineData("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-02-01T00:00:00Z")]
    [InlineData("9999-12-31T00:00:00Z", "9999-12-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z")]
    public void PeriodOf_AtTheEdges_IsTheMonth(string text, string start, string end)
    {
        InstantText.Read(text, out var instant);

        var period = Clock.PeriodOf("cus_1", instant);

        Assert.Equal((start, end), (period.Start.ToString(), period.End.ToString()));
    }

    [Fact]
    public void Contains_StartAndEnd_IsInclusiveAndExclusive()
    {
        var period = new BillingPeriod(new Instant(10), new Instant(20));

        Assert.Equal([false, true, true, false], new long[] { 9, 10, 19, 20 }.Select(ticks => period.Contains(new Instant(ticks))));
    }
}
