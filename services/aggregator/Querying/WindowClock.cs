using NodaTime;
using StripeMeter.Defaults.Errors;
using StripeMeter.V1;
using Instant = StripeMeter.Metering.Time.Instant;

namespace StripeMeter.Aggregator.Querying;

/// <summary>Where windows of time begin in a time zone.</summary>
internal static class WindowClock
{
    /// <summary>The start of the window of an instant. Without windows all time begins at <paramref name="from"/>.</summary>
    public static Func<Instant, Instant> Of(CounterWindow window, string timeZone, Instant from)
    {
        var zone = ZoneOf(timeZone);
        return window switch
        {
            CounterWindow.Unspecified => _ => from,
            CounterWindow.Minute => instant => Cut(instant, zone, NodaConstants.TicksPerMinute),
            CounterWindow.Hour => instant => Cut(instant, zone, NodaConstants.TicksPerHour),
            CounterWindow.Day => instant => Midnight(zone, DateOf(instant, zone)),
            CounterWindow.Week => instant => Midnight(zone, Monday(DateOf(instant, zone))),
            CounterWindow.Month => instant => Midnight(zone, DateOf(instant, zone).With(DateAdjusters.StartOfMonth)),
            _ => throw RpcErrors.Invalid("window", "is not known"),
        };
    }

    private static DateTimeZone ZoneOf(string name)
    {
        if (name.Length == 0)
            return DateTimeZone.Utc;
        return DateTimeZoneProviders.Tzdb.GetZoneOrNull(name)
            ?? throw RpcErrors.Invalid("time_zone", "must be an IANA time zone, such as Europe/Berlin");
    }

    /// <summary>Cuts by the clock on the wall. The hour that comes twice in autumn is two windows.</summary>
    private static Instant Cut(Instant instant, DateTimeZone zone, long ticks)
    {
        var local = InZone(instant, zone).TickOfDay;
        return new Instant(instant.Ticks - (local % ticks));
    }

    private static LocalDate DateOf(Instant instant, DateTimeZone zone) => InZone(instant, zone).Date;

    private static LocalDate Monday(LocalDate date) => date.With(DateAdjusters.PreviousOrSame(IsoDayOfWeek.Monday));

    private static ZonedDateTime InZone(Instant instant, DateTimeZone zone) =>
        NodaTime.Instant.FromUnixTimeTicks(instant.Ticks).InZone(zone);

    /// <summary>Where midnight is skipped, the day begins with the first moment after it.</summary>
    private static Instant Midnight(DateTimeZone zone, LocalDate date) =>
        new(zone.AtStartOfDay(date).ToInstant().ToUnixTimeTicks());
}
