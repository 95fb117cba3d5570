using System.Numerics;
using StripeMeter.Metering.Mappings;
using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Pricing.Forecasting;

/// <summary>
/// What usage comes to by the end of its period if every day that is left is like the days before it. The method is simple on
/// purpose: anybody can check it, and its range is what was really seen.
/// </summary>
public static class UsageForecast
{
    /// <summary>Full days (UTC) looked at.</summary>
    public const int Days = 7;

    /// <summary>The method, for people.</summary>
    public static string Method { get; } =
        $"Every day that is left is taken to be like the average of the last {Days} full days (UTC); for the range, like the quietest and like the busiest of them.";

    /// <param name="soFar">What is counted of the period.</param>
    /// <param name="aggregation">How days become a period: sums and counts add up, the others replace.</param>
    /// <param name="days">The same aggregate of each of the last full days. None: there is nothing to go by.</param>
    /// <param name="left">From now to the end of the period.</param>
    /// <exception cref="OverflowException">A forecast does not fit.</exception>
    public static ForecastRange Of(Quantity soFar, Aggregation aggregation, IReadOnlyList<Quantity> days, TimeSpan left)
    {
        if (days.Count == 0 || left <= TimeSpan.Zero)
            return new ForecastRange(soFar, soFar, soFar, days.Count);
        var (quietest, busiest, sum) = (days[0], days[0], BigInteger.Zero);
        foreach (var day in days)
        {
            (quietest, busiest) = (Quantity.Min(quietest, day), Quantity.Max(busiest, day));
            sum += day.Units;
        }

        return new ForecastRange(
            At(quietest.Units, 1), At(sum, days.Count), At(busiest.Units, 1), days.Count);

        // What the period comes to if a day that is left has units / share.
        Quantity At(BigInteger units, int share) => aggregation switch
        {
            Aggregation.Max => Quantity.Max(soFar, Divided(units, share)),
            Aggregation.Min => Quantity.Min(soFar, Divided(units, share)),
            Aggregation.Last => Divided(units, share),
            _ => soFar + Divided(units * left.Ticks, share * (BigInteger)TimeSpan.TicksPerDay),
        };
    }

    private static Quantity Divided(BigInteger units, BigInteger divisor) => new((Int128)(units / divisor));
}

/// <summary>What usage may come to.</summary>
/// <param name="Low">If the days to come are like the quietest one seen.</param>
/// <param name="Expected">If they are like the average.</param>
/// <param name="High">If they are like the busiest.</param>
/// <param name="Days">How many days it rests on; 0 when there was nothing to go by, and all are what is counted so far.</param>
public readonly record struct ForecastRange(Quantity Low, Quantity Expected, Quantity High, int Days);
