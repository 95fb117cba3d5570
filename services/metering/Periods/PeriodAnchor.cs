using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Periods;

/// <summary>
/// Where monthly periods begin: a day of the month and a minute of that day, in UTC. A month that is too short has its
/// boundary on its last day, as Stripe has it for <c>billing_cycle_anchor_config.day_of_month</c>. Boundaries lie on whole
/// minutes, because Stripe's meter summaries are cut there.
/// </summary>
/// <param name="Day">1 to 31.</param>
/// <param name="Minute">Minutes after midnight, 0 to 1439.</param>
public readonly record struct PeriodAnchor(int Day, int Minute)
{
    /// <summary>Calendar months.</summary>
    public static PeriodAnchor MonthStart => new(1, 0);

    /// <summary>The anchor of a billing cycle that began at an instant, cut to its minute.</summary>
    public static PeriodAnchor At(Instant instant)
    {
        var moment = instant.ToUtc();
        return new PeriodAnchor(moment.Day, (moment.Hour * 60) + moment.Minute);
    }

    /// <summary>
    /// The period around an instant, where one ended at another instant at or before it and they go on from there. Where a short
    /// month ended it, those after may end some days too early; they begin where they should.
    /// </summary>
    public static BillingPeriod Following(Instant end, Instant instant)
    {
        var period = At(end).PeriodOf(instant);
        return period with { Start = Instant.Max(period.Start, end) };
    }

    public bool IsValid => Day is >= 1 and <= 31 && Minute is >= 0 and < 24 * 60;

    /// <summary>The boundary of a month.</summary>
    public Instant BoundaryOf(int year, int month) =>
        Instant.OfDate(year, month, Math.Min(Day, DateTime.DaysInMonth(year, month))) + TimeSpan.FromMinutes(Minute);

    /// <summary>The stretch between the boundaries around an instant.</summary>
    public BillingPeriod PeriodOf(Instant instant)
    {
        var moment = instant.ToUtc();
        var month = BoundaryOf(moment.Year, moment.Month);
        return instant < month
            ? new BillingPeriod(Shifted(moment, -1) ?? Instant.Minimum, month)
            : new BillingPeriod(month, Shifted(moment, 1) ?? Instant.Maximum);
    }

    /// <summary>The boundary some months away; null outside of the years there are.</summary>
    private Instant? Shifted(DateTime moment, int months)
    {
        var index = (moment.Year * 12) + (moment.Month - 1) + months;
        return index is < 12 or >= 120_000 ? null : BoundaryOf(index / 12, (index % 12) + 1);
    }
}
