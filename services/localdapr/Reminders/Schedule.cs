using System.Globalization;
using System.Xml;

namespace StripeMeter.LocalDapr.Reminders;

/// <summary>When a reminder or timer fires: first at its due time, then each period, for so many times or until its ttl has
/// passed.</summary>
/// <param name="NextFireAt">The next fire.</param>
/// <param name="Period">Null: it fires once.</param>
/// <param name="FiresLeft">Null: without end.</param>
/// <param name="ExpiresAt">It does not fire at or after this.</param>
internal readonly record struct Schedule(DateTimeOffset NextFireAt, TimeSpan? Period, int? FiresLeft, DateTimeOffset? ExpiresAt)
{
    public bool HasEnded => FiresLeft == 0 || NextFireAt >= ExpiresAt;

    /// <summary>What is left after a fire. Ticks that passed meanwhile are not made up for.</summary>
    public Schedule AfterFire(DateTimeOffset now)
    {
        if (Period is not { } period || period <= TimeSpan.Zero)
            return this with { FiresLeft = 0 };
        var next = NextFireAt + period;
        if (next < now)
            next = NextFireAt + (period * (((now - NextFireAt).Ticks / period.Ticks) + 1));
        return this with { NextFireAt = next, FiresLeft = FiresLeft - 1 };
    }

    /// <summary>Reads what the API takes: durations of Go or ISO 8601, <c>R5/PT1S</c> as period, an RFC 3339 instant as due time
    /// or ttl.</summary>
    /// <exception cref="FormatException">A part cannot be read; the message names it.</exception>
    public static Schedule Parse(string dueTime, string period, string ttl, DateTimeOffset now, bool strict)
    {
        var (every, fires) = ParsePeriod(period, strict);
        var first = dueTime.Length == 0 ? now : ParseInstant(dueTime, now);
        var expires = ttl.Length == 0 ? (DateTimeOffset?)null : ParseInstant(ttl, now);
        if (expires <= now)
            throw new FormatException($"the ttl '{ttl}' has already passed");
        return new Schedule(first, every, fires ?? (every is null ? 1 : null), expires);
    }

    /// <summary>The time between two fires of a period that was accepted before.</summary>
    public static TimeSpan? PeriodOf(string period) => ParsePeriod(period, strict: false).Every;

    private static DateTimeOffset ParseInstant(string text, DateTimeOffset now) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant)
            && text.Contains('T', StringComparison.Ordinal) && text.Contains('-', StringComparison.Ordinal)
            ? instant
            : now + DaprDuration.Parse(text);

    private static (TimeSpan? Every, int? Fires) ParsePeriod(string text, bool strict)
    {
        if (text.Length == 0)
            return (null, null);
        int? fires = null;
        var duration = text;
        if (text.StartsWith('R'))
        {
            var slash = text.IndexOf('/', StringComparison.Ordinal);
            if (slash < 0 || !int.TryParse(text.AsSpan(1, slash - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var repetitions))
                throw new FormatException($"'{text}' is not a period");
            fires = repetitions;
            duration = text[(slash + 1)..];
        }

        // daprd's scheduler takes hours and smaller units only (scheduleFromPeriod).
        if (strict && duration.StartsWith('P') && duration.Split('T')[0].AsSpan().IndexOfAny("YMWD") >= 0)
            throw new FormatException($"the period '{text}' has years, months or days, which the scheduler does not support");
        try
        {
            return (DaprDuration.Parse(duration), fires);
        }
        catch (Exception failure) when (failure is FormatException or XmlException)
        {
            throw new FormatException($"'{text}' is not a period", failure);
        }
    }
}
