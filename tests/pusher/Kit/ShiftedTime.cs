namespace StripeMeter.Pusher.Tests.Kit;

/// <summary>A time that runs, shifted.</summary>
/// <param name="origin">What is shifted.</param>
internal sealed class ShiftedTime(TimeProvider origin) : TimeProvider
{
    private const int MiddleDay = 15;
    private long _shiftTicks;

    public TimeSpan Shift
    {
        get => TimeSpan.FromTicks(Interlocked.Read(ref _shiftTicks));
        set => Interlocked.Exchange(ref _shiftTicks, value.Ticks);
    }

    /// <summary>The machine's time, as many days ahead as it takes to be in the middle of a month.</summary>
    public static ShiftedTime MidMonth()
    {
        var today = System.GetUtcNow().Date;
        var month = today.AddDays(1 - today.Day);
        var middle = (today.Day <= MiddleDay ? month : month.AddMonths(1)).AddDays(MiddleDay - 1);
        return new ShiftedTime(System) { Shift = middle - today };
    }

    public override DateTimeOffset GetUtcNow() => origin.GetUtcNow() + Shift;
}
