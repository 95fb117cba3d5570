using Google.Protobuf.WellKnownTypes;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Time;

namespace StripeMeter.Gateway.Requests;

/// <summary>Instants as REST shows them: RFC 3339 in UTC.</summary>
internal static class RestTime
{
    public static string? Write(Timestamp? timestamp) =>
        timestamp is not null && timestamp.TryToInstant(out var instant) is null ? InstantText.Write(instant) : null;
}
