using Google.Protobuf.WellKnownTypes;
using StripeMeter.Metering.Time;

namespace StripeMeter.Defaults.Wire;

/// <summary>Instants as google.protobuf.Timestamp, exactly.</summary>
public static class WireTime
{
    private const int NanosecondsPerTick = 100;

    public static Timestamp ToTimestamp(this Instant instant)
    {
        var seconds = instant.ToUnixSeconds();
        var ticks = instant.Ticks - (seconds * TimeSpan.TicksPerSecond);
        return new Timestamp { Seconds = seconds, Nanos = (int)(ticks * NanosecondsPerTick) };
    }

    /// <summary>Reads a timestamp. Returns why it cannot be kept, or null.</summary>
    public static string? TryToInstant(this Timestamp timestamp, out Instant instant)
    {
        ArgumentNullException.ThrowIfNull(timestamp);
        instant = default;
        if (timestamp.Nanos is < 0 or > 999_999_999)
            return "must have 0 to 999,999,999 nanoseconds";
        if (timestamp.Nanos % NanosecondsPerTick != 0)
            return "must be in steps of 100 ns";
        if (timestamp.Seconds < Instant.Minimum.ToUnixSeconds() || timestamp.Seconds > Instant.Maximum.ToUnixSeconds())
            return "must be in the years 1 to 9999";
        instant = new Instant((timestamp.Seconds * TimeSpan.TicksPerSecond) + (timestamp.Nanos / NanosecondsPerTick));
        return null;
    }
}
