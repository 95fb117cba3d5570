namespace StripeMeter.StripeDouble.Subscriptions;

/// <summary>Where the billing periods of a subscription end: at its anchor, and every so many days, weeks, months or years from there.</summary>
/// <param name="AnchorSeconds">The anchor. On a day that a month lacks, its last day stands in.</param>
/// <param name="Interval"><c>day</c>, <c>week</c>, <c>month</c> or <c>year</c>.</param>
/// <param name="Count">Intervals of a period.</param>
internal readonly record struct BillingCycle(long AnchorSeconds, string Interval, int Count)
{
    /// <summary>The first boundary behind a moment.</summary>
    public long NextAfter(long seconds)
    {
        var number = 0;
        while (Boundary(number) <= seconds)
            number++;
        while (Boundary(number - 1) > seconds)
            number--;
        return Boundary(number);
    }

    private long Boundary(int number)
    {
        var anchor = DateTimeOffset.FromUnixTimeSeconds(AnchorSeconds);
        var steps = checked(number * Count);
        var boundary = Interval switch
        {
            "day" => anchor.AddDays(steps),
            "week" => anchor.AddDays(7 * steps),
            "month" => anchor.AddMonths(steps),
            _ => anchor.AddYears(steps),
        };
        return boundary.ToUnixTimeSeconds();
    }
}
