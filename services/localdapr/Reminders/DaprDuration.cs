using System.Buffers;
using System.Globalization;
using System.Xml;

namespace StripeMeter.LocalDapr.Reminders;

/// <summary>Durations as Dapr writes them: Go's (<c>1h2m3s4ms</c>) and ISO 8601's (<c>PT1S</c>).</summary>
internal static class DaprDuration
{
    private static readonly SearchValues<char> AmountCharacters = SearchValues.Create("0123456789.");

    /// <exception cref="FormatException">It is neither.</exception>
    public static TimeSpan Parse(string text)
    {
        if (text.StartsWith('P'))
            return XmlConvert.ToTimeSpan(text);
        var negative = text.StartsWith('-');
        var rest = text.AsSpan(negative || text.StartsWith('+') ? 1 : 0);
        if (rest.IsEmpty)
            throw new FormatException($"'{text}' is not a duration");
        if (rest is "0")
            return TimeSpan.Zero;
        var total = TimeSpan.Zero;
        while (!rest.IsEmpty)
            total += TakePart(ref rest, text);
        return negative ? -total : total;
    }

    private static TimeSpan TakePart(ref ReadOnlySpan<char> rest, string text)
    {
        var digits = rest.IndexOfAnyExcept(AmountCharacters);
        if (digits < 1 || !decimal.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount))
            throw new FormatException($"'{text}' is not a duration");
        rest = rest[digits..];
        var letters = rest.IndexOfAny(AmountCharacters);
        var unit = letters < 0 ? rest : rest[..letters];
        rest = rest[unit.Length..];
        var ticks = unit switch
        {
            "h" => TimeSpan.TicksPerHour,
            "m" => TimeSpan.TicksPerMinute,
            "s" => TimeSpan.TicksPerSecond,
            "ms" => TimeSpan.TicksPerMillisecond,
            "us" or "µs" or "μs" => TimeSpan.TicksPerMicrosecond,
            "ns" => TimeSpan.TicksPerMicrosecond / 1000m,
            _ => throw new FormatException($"'{text}' is not a duration"),
        };
        return TimeSpan.FromTicks((long)(amount * ticks));
    }
}
