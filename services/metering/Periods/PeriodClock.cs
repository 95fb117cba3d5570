using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Periods;

/// <summary>Says which billing period of a customer an instant falls in. The only place that computes months.</summary>
public abstract class PeriodClock
{
    /// <summary>Calendar months in UTC for every customer.</summary>
    public static PeriodClock CalendarMonths { get; } = new CalendarMonthClock();

    public abstract BillingPeriod PeriodOf(string customer, Instant instant);

    private sealed class CalendarMonthClock : PeriodClock
    {
        public override BillingPeriod PeriodOf(string customer, Instant instant)
        {
            var day = instant.ToUtc();
            var start = new DateTime(day.Year, day.Month, 1, 0, 0, 0, DateTimeKind.Utc);
            // The last month there is has no first day after it.
            var end = start is { Year: 9999, Month: 12 } ? Instant.Maximum : Instant.Of(start.AddMonths(1));
            return new BillingPeriod(Instant.Of(start), end);
        }
    }
}
