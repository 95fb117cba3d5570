using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Time;

namespace StripeMeter.Simulation.Stripe;

/// <summary>
/// Billing periods of two days that begin within a minute, so that a run sees several ends. They may be cut anew, as a changed
/// anchor does: then the next period begins there.
/// </summary>
internal sealed class ShortPeriods
{
    private static readonly TimeSpan Length = TimeSpan.FromDays(2);

    /// <summary>Where periods began to be counted from, each time they were cut; the last holds.</summary>
    private readonly List<IReadOnlyList<Instant>> _cuts = [[Instant.OfDate(2026, 1, 1) + TimeSpan.FromSeconds(17)]];

    public BillingPeriod PeriodOf(Instant instant) => PeriodOf(instant, _cuts[^1]);

    /// <summary>The period around an instant, as it is and as it was before periods were cut.</summary>
    public IReadOnlyList<BillingPeriod> EverOf(Instant instant) => [.. _cuts.Select(cut => PeriodOf(instant, cut)).Distinct()];

    /// <summary>The period around an instant, as one would take it that only knows where one ended before.</summary>
    public static BillingPeriod Following(Instant end, Instant instant) => PeriodOf(instant, [end]);

    /// <summary>Ends the period around an instant there.</summary>
    public void Cut(Instant at) => _cuts.Add([.. _cuts[^1].Where(from => from < at), at]);

    private static BillingPeriod PeriodOf(Instant instant, IReadOnlyList<Instant> cut)
    {
        var index = cut.Count - 1;
        while (index > 0 && cut[index] > instant)
            index--;
        var start = cut[index] + (((instant - cut[index]).Ticks / Length.Ticks) * Length);
        var end = start + Length;
        return new BillingPeriod(start, index + 1 < cut.Count ? Instant.Min(end, cut[index + 1]) : end);
    }
}
