using System.Globalization;
using StripeMeter.Metering.Time;

namespace StripeMeter.Gateway.Reconciliation;

/// <summary>Calendar months in UTC, such as <c>2026-01</c>. A billing period belongs to the month it starts in.</summary>
internal static class MonthText
{
    public const string Reason = "must be a month, such as 2026-01";

    /// <summary>The first instant of the month, and the first behind it.</summary>
    public static bool TryRead(string text, out Instant start, out Instant end)
    {
        (start, end) = (default, default);
        if (!DateOnly.TryParseExact(text, "yyyy-MM", CultureInfo.InvariantCulture, DateTimeStyles.None, out var month) || month.Year > 9_998)
            return false;
        var next = month.AddMonths(1);
        (start, end) = (Instant.OfDate(month.Year, month.Month, 1), Instant.OfDate(next.Year, next.Month, 1));
        return true;
    }
}
