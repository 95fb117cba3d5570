using StripeMeter.Metering.Time;

namespace StripeMeter.Kits.Simulated.Scheduling;

/// <summary>A clock that only its scheduler advances.</summary>
internal sealed class SimulatedClock(Instant start) : TimeProvider
{
    /// <summary>Time since the start, in units of 100 ns.</summary>
    public long Ticks { get; set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Ticks;

    public override DateTimeOffset GetUtcNow() => new Instant(start.Ticks + Ticks).ToOffset();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        throw new NotSupportedException("Protocols have no timers: whoever drives them decides when.");
}

public static class ClockExtensions
{
    /// <summary>The clock of a machine that is set wrongly.</summary>
    public static TimeProvider Skewed(this TimeProvider clock, TimeSpan skew) => new SkewedClock(clock, skew);
}

internal sealed class SkewedClock(TimeProvider clock, TimeSpan skew) : TimeProvider
{
    public override long TimestampFrequency => clock.TimestampFrequency;

    public override long GetTimestamp() => clock.GetTimestamp();

    public override DateTimeOffset GetUtcNow() => clock.GetUtcNow() + skew;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        clock.CreateTimer(callback, state, dueTime, period);
}
