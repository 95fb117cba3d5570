using System.Globalization;
using StripeMeter.Defaults.Wire;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Time;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Backfilling;

/// <summary>Reads the stretch of time of a backfill: days, of which the last belongs to it, or moments.</summary>
internal static class BackfillPeriod
{
    private const string Start = "periodStart";
    private const string End = "periodEnd";

    /// <param name="request">Where it is put.</param>
    /// <param name="start">From when; absent: from the beginning.</param>
    /// <param name="end">Until when, inclusive.</param>
    /// <param name="refuse">Is told what is wrong.</param>
    /// <param name="isDayAlone">Whether a start without an end means that day alone; else there is no end.</param>
    public static void Set(OpenBackfillRequest request, string? start, string? end, Action<string, string> refuse, bool isDayAlone)
    {
        var from = Read(Start, start, refuse);
        var last = Read(End, string.IsNullOrEmpty(end) && isDayAlone ? start : end, refuse);
        request.StartTime = from?.ToTimestamp();
        if (last is not { } inclusive)
            return;
        var before = IsDay(string.IsNullOrEmpty(end) ? start : end) ? inclusive + TimeSpan.FromDays(1) : new Instant(inclusive.Ticks + 1);
        request.EndTime = before.ToTimestamp();
        if (from >= before)
            refuse(End, $"must not be before {Start}");
    }

    private static Instant? Read(string name, string? text, Action<string, string> refuse)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        if (DayText.TryRead(text, out var instant) && instant < Instant.Maximum - TimeSpan.FromDays(1))
            return instant;
        refuse(name, DayText.Reason);
        return null;
    }

    private static bool IsDay(string? text) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _);
}
