namespace StripeMeter.StripeDouble.Clock;

/// <summary>
/// The double's time: that of the machine, moved ahead as a test clock. Timers keep to the machine's. It only moves forward,
/// as what was answered, billed or forgotten cannot be taken back.
/// </summary>
internal sealed class DoubleClock(TimeProvider machine) : TimeProvider
{
    private long _aheadTicks;

    /// <summary>The time without the part it was moved ahead.</summary>
    public TimeProvider Machine => machine;

    public TimeSpan Ahead => TimeSpan.FromTicks(Interlocked.Read(ref _aheadTicks));

    public override long TimestampFrequency => machine.TimestampFrequency;

    public override TimeZoneInfo LocalTimeZone => machine.LocalTimeZone;

    public override DateTimeOffset GetUtcNow() => machine.GetUtcNow() + Ahead;

    public override long GetTimestamp() => machine.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        machine.CreateTimer(callback, state, dueTime, period);

    /// <summary>Moves the time ahead.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It would go back.</exception>
    public void Advance(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        Interlocked.Add(ref _aheadTicks, time.Ticks);
    }
}
