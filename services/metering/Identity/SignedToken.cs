using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Identity;

/// <summary>
/// Claims that carry their own proof and their own end: base64url of JSON, a dot, and an HMAC-SHA256 over the first with a
/// key of its purpose. There is one algorithm, so a token cannot choose another.
/// </summary>
/// <param name="key">Key of the purpose.</param>
/// <param name="prefix">Tells tokens of a purpose from others at a glance.</param>
public sealed class SignedToken<T>(byte[] key, string prefix) where T : class
{
    /// <summary>Longest token read, in characters.</summary>
    public const int MaximumLength = 8_192;

    private const char Dot = '.';

    public string Write(T claims, Instant expires)
    {
        var body = prefix + Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(new Envelope(claims, expires.Ticks)));
        return $"{body}{Dot}{Base64Url.EncodeToString(Sign(body))}";
    }

    /// <summary>Whether a text means to be a token of this purpose.</summary>
    public bool IsMeant(string text) => text is not null && text.StartsWith(prefix, StringComparison.Ordinal);

    /// <summary>Reads a token that <see cref="Write"/> made and that has not expired.</summary>
    public bool TryRead(string text, Instant now, [NotNullWhen(true)] out T? claims)
    {
        claims = null;
        if (text is null || text.Length > MaximumLength || !IsMeant(text))
            return false;
        var dot = text.LastIndexOf(Dot);
        if (dot < prefix.Length || !Base64Url.IsValid(text.AsSpan(dot + 1)) || !Base64Url.IsValid(text.AsSpan(prefix.Length, dot - prefix.Length)))
            return false;
        if (!CryptographicOperations.FixedTimeEquals(Sign(text[..dot]), Base64Url.DecodeFromChars(text.AsSpan(dot + 1))))
            return false;

        // It is ours: what is in it was written by Write.
        var envelope = JsonSerializer.Deserialize<Envelope>(Base64Url.DecodeFromChars(text.AsSpan(prefix.Length, dot - prefix.Length)))!;
        if (envelope.Expires <= now.Ticks)
            return false;
        claims = envelope.Claims;
        return true;
    }

    private byte[] Sign(string body) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(body));

    private sealed record Envelope(T Claims, long Expires);
}
