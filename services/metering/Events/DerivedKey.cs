using System.Security.Cryptography;
using System.Text;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Events;

/// <summary>
/// The idempotency key of an event that came without one: the form that existing clients derive for themselves. It is
/// short and leaves the quantity out, so two different events may share it; <see cref="Extend"/> then keeps both.
/// </summary>
public static class DerivedKey
{
    private const string Prefix = "evt_";
    private const int HexDigits = 16;
    private const string NoResource = "default";

    public static string Of(TenantId tenant, UsageEvent usage)
    {
        ArgumentNullException.ThrowIfNull(usage);
        var resource = usage.Resource.Length == 0 ? NoResource : usage.Resource;
        var text = string.Join(
            '|', tenant.Value, usage.Metric, usage.Customer, resource, InstantText.WriteMilliseconds(usage.Timestamp));
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        return Prefix + Convert.ToHexStringLower(hash[..(HexDigits / 2)]);
    }

    /// <summary>Whether a key is absent or has the form of a derived one, so that only then deriving it is worth the work.</summary>
    public static bool MayBe(string? key) => string.IsNullOrEmpty(key)
        || (key.Length == Prefix.Length + HexDigits && key.StartsWith(Prefix, StringComparison.Ordinal));

    /// <summary>The key under which an event stands whose derived key was taken by another event.</summary>
    public static string Extend(string key, Fingerprint fingerprint) => $"{key}_{fingerprint}";
}
