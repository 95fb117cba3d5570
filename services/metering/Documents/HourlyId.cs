using System.Security.Cryptography;
using System.Text;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Documents;

/// <summary>Ids of documents made of the hour and of what they are about: ids rise with time, and the same within an hour is the same document.</summary>
public static class HourlyId
{
    private const int HashDigits = 16;

    public static string Of(Instant now, ReadOnlySpan<byte> about)
    {
        var hour = now.Ticks - (now.Ticks % TimeSpan.TicksPerHour);
        return FormattableString.Invariant($"{hour:D19}-{Convert.ToHexStringLower(SHA256.HashData(about))[..HashDigits]}");
    }

    public static string Of(Instant now, string about) => Of(now, Encoding.UTF8.GetBytes(about));
}
