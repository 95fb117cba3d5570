using System.Globalization;

namespace StripeMeter.Metering.Time;

/// <summary>Why a text is not an instant.</summary>
public enum InstantTextError
{
    None,
    NotADateTime,
    NoZone,
    TooFine,
}

/// <summary>Reads and writes instants as RFC 3339.</summary>
public static class InstantText
{
    private const string Seconds = "yyyy-MM-dd'T'HH:mm:ss";
    private const int SecondsLength = 19;
    private const int LongestText = 40;

    public static string Write(Instant instant) =>
        instant.ToUtc().ToString(Seconds + ".FFFFFFF'Z'", CultureInfo.InvariantCulture);

    /// <summary>With exactly three fractional digits, finer ones cut off: the form in derived keys.</summary>
    public static string WriteMilliseconds(Instant instant) =>
        instant.ToUtc().ToString(Seconds + ".fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>
    /// Reads a date-time with a zone. Fractions finer than 100 ns are refused unless they are zeros, and so is a leap
    /// second, because neither can be kept.
    /// </summary>
    public static InstantTextError Read(ReadOnlySpan<char> text, out Instant instant)
    {
        instant = default;
        if (text.Length is < SecondsLength or > LongestText || text[10] is not ('T' or 't' or ' '))
            return InstantTextError.NotADateTime;
        Span<char> normal = stackalloc char[SecondsLength];
        text[..SecondsLength].CopyTo(normal);
        normal[10] = 'T';
        if (!DateTime.TryParseExact(normal, Seconds, CultureInfo.InvariantCulture, DateTimeStyles.None, out var moment))
            return InstantTextError.NotADateTime;

        var error = ReadFraction(text[SecondsLength..], out var fractionTicks, out var zone);
        if (error != InstantTextError.None)
            return error;
        error = ReadZone(zone, out var offsetMinutes);
        if (error != InstantTextError.None)
            return error;

        var ticks = moment.Ticks - DateTime.UnixEpoch.Ticks + fractionTicks - (offsetMinutes * TimeSpan.TicksPerMinute);
        if (ticks < Instant.Minimum.Ticks || ticks > Instant.Maximum.Ticks)
            return InstantTextError.NotADateTime;
        instant = new Instant(ticks);
        return InstantTextError.None;
    }

    private static InstantTextError ReadFraction(ReadOnlySpan<char> text, out long ticks, out ReadOnlySpan<char> rest)
    {
        ticks = 0;
        rest = text;
        if (text is not ['.', ..])
            return InstantTextError.None;
        var length = text[1..].IndexOfAnyExceptInRange('0', '9');
        var digits = length < 0 ? text[1..] : text.Slice(1, length);
        if (digits.IsEmpty)
            return InstantTextError.NotADateTime;
        rest = text[(1 + digits.Length)..];
        for (var index = 0; index < Math.Max(7, digits.Length); index++)
        {
            var digit = index < digits.Length ? digits[index] - '0' : 0;
            if (index < 7)
                ticks = (ticks * 10) + digit;
            else if (digit != 0)
                return InstantTextError.TooFine;
        }

        return InstantTextError.None;
    }

    private static InstantTextError ReadZone(ReadOnlySpan<char> text, out int offsetMinutes)
    {
        offsetMinutes = 0;
        if (text.IsEmpty)
            return InstantTextError.NoZone;
        if (text is ['Z' or 'z'])
            return InstantTextError.None;
        if (text is not ['+' or '-', _, _, ':', _, _]
            || !int.TryParse(text[1..3], NumberStyles.None, CultureInfo.InvariantCulture, out var hours) || hours > 23
            || !int.TryParse(text[4..6], NumberStyles.None, CultureInfo.InvariantCulture, out var minutes) || minutes > 59)
        {
            return InstantTextError.NotADateTime;
        }

        offsetMinutes = ((hours * 60) + minutes) * (text[0] == '-' ? -1 : 1);
        return InstantTextError.None;
    }
}
