using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Time;

namespace StripeMeter.Simulation.Stripe;

/// <summary>Billing periods of two days that begin within a minute, so that a run sees several ends.</summary>
internal sealed class ShortPeriods : PeriodClock
{
    private static readonly Instant Anchor = Instant.OfDate(2026, 1, 1) + TimeSpan.FromSeconds(17);
    private static readonly TimeSpan Length = TimeSpan.FromDays(2);

    public override BillingPeriod PeriodOf(string customer, Instant instant)
    {
        var start = Anchor + (((instant - Anchor).Ticks / Length.Ticks) * Length);
        return new BillingPeriod(start, start + Length);
    }
}
