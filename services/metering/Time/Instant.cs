namespace StripeMeter.Metering.Time;

/// <summary>A point in time, in units of 100 ns since 1970-01-01T00:00:00Z. Covers the years 1 to 9999.</summary>
public readonly record struct Instant(long Ticks) : IComparable<Instant>
{
    private const long MinimumTicks = -621_355_968_000_000_000;
    private const long MaximumTicks = 2_534_023_007_999_999_999;

    public static Instant Minimum => new(MinimumTicks);

    public static Instant Maximum => new(MaximumTicks);

    public static Instant Of(DateTimeOffset moment) => new(moment.UtcTicks - DateTime.UnixEpoch.Ticks);

    /// <summary>False for numbers from outside that are no instant: to write one as text or as another type throws.</summary>
    public bool IsCovered => this >= Minimum && this <= Maximum;

    /// <summary>Midnight UTC of a day.</summary>
    public static Instant OfDate(int year, int month, int day) =>
        new(new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Utc).Ticks - DateTime.UnixEpoch.Ticks);

    public DateTime ToUtc() => new(Ticks + DateTime.UnixEpoch.Ticks, DateTimeKind.Utc);

    public DateTimeOffset ToOffset() => new(ToUtc(), TimeSpan.Zero);

    /// <summary>Whole seconds since 1970, rounded down: Stripe's form of a timestamp.</summary>
    public long ToUnixSeconds() => (Ticks - Modulo(Ticks, TimeSpan.TicksPerSecond)) / TimeSpan.TicksPerSecond;

    public static Instant FromUnixSeconds(long seconds) => new(checked(seconds * TimeSpan.TicksPerSecond));

    /// <summary>The start of the minute the instant is in.</summary>
    public Instant ToMinute() => Floor(TimeSpan.FromMinutes(1));

    /// <summary>The newest whole multiple of a unit, counted from 1970, that is not later.</summary>
    public Instant Floor(TimeSpan unit) => new(Ticks - Modulo(Ticks, unit.Ticks));

    /// <summary>The oldest whole multiple of a unit, counted from 1970, that is not earlier; the latest instant if there is none.</summary>
    public Instant Ceiling(TimeSpan unit) => Floor(unit) is var floor && floor == this ? this : Maximum - floor < unit ? Maximum : floor + unit;

    public static Instant operator +(Instant instant, TimeSpan span) => new(checked(instant.Ticks + span.Ticks));

    public static Instant operator -(Instant instant, TimeSpan span) => new(checked(instant.Ticks - span.Ticks));

    public static TimeSpan operator -(Instant left, Instant right) => new(checked(left.Ticks - right.Ticks));

    public static bool operator <(Instant left, Instant right) => left.Ticks < right.Ticks;

    public static bool operator >(Instant left, Instant right) => left.Ticks > right.Ticks;

    public static bool operator <=(Instant left, Instant right) => left.Ticks <= right.Ticks;

    public static bool operator >=(Instant left, Instant right) => left.Ticks >= right.Ticks;

    public static Instant Max(Instant left, Instant right) => left >= right ? left : right;

    public static Instant Min(Instant left, Instant right) => left <= right ? left : right;

    public int CompareTo(Instant other) => Ticks.CompareTo(other.Ticks);

    /// <summary>RFC 3339 in UTC with as many fractional digits as are needed: <c>2026-01-31T23:59:59.9999999Z</c>.</summary>
    public override string ToString() => InstantText.Write(this);

    private static long Modulo(long value, long divisor)
    {
        var remainder = value % divisor;
        return remainder < 0 ? remainder + divisor : remainder;
    }
}
