using Google.Protobuf.WellKnownTypes;
using StripeMeter.Metering.Time;
using StripeMeter.Defaults.Wire;

namespace StripeMeter.Gateway.Requests;

/// <summary>Instants as REST shows them: RFC 3339 in UTC.</summary>
internal static class RestTime
{
    public static string? Reason(InstantTextError error) => error switch
    {
        InstantTextError.None => null,
        InstantTextError.NoZone => "must have a zone, such as Z or +01:00",
        InstantTextError.TooFine => "must be in steps of 100 ns",
        _ => "must be an RFC 3339 date-time, such as 2026-01-31T23:59:59Z",
    };

    public static string? Write(Timestamp? timestamp) =>
        timestamp is not null && timestamp.TryToInstant(out var instant) is null ? InstantText.Write(instant) : null;
}
