using StripeMeter.Metering.Time;

namespace StripeMeter.EventFormats;

/// <summary>Why a text is not the time of an event.</summary>
public static class TimeText
{
    /// <summary>The reason as a sentence without its subject; null if there is none.</summary>
    public static string? Reason(InstantTextError error) => error switch
    {
        InstantTextError.None => null,
        InstantTextError.NoZone => "must have a zone, such as Z or +01:00",
        InstantTextError.TooFine => "must be in steps of 100 ns",
        _ => "must be an RFC 3339 date-time, such as 2026-01-31T23:59:59Z",
    };
}
