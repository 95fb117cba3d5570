using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace StripeMeter.Metering.Identity;

/// <summary>
/// The text of an API key: <c>sm_live_</c> or <c>sm_test_</c>, an id of 12 hexadecimal digits, a dot, 192 random bits and a
/// checksum. What stands before the dot is no secret; it names the key in lists and logs. The checksum tells a mistyped key
/// from a wrong one without a look at the store.
/// </summary>
public static class ApiKeyText
{
    /// <summary>Random bytes that <see cref="Create"/> takes: the id, then the secret.</summary>
    public const int RandomBytes = IdBytes + SecretBytes;

    /// <summary>Characters of a key.</summary>
    public const int Length = 8 + (IdBytes * 2) + 1 + SecretCharacters + ChecksumCharacters;

    private const string Live = "sm_live_";
    private const string Test = "sm_test_";
    private const char Dot = '.';
    private const int IdBytes = 6;
    private const int SecretBytes = 24;
    private const int SecretCharacters = 32;
    private const int ChecksumBytes = 3;
    private const int ChecksumCharacters = 4;

    /// <summary>Makes a key.</summary>
    /// <param name="livemode">Whether it says live or test: for people, so that a key in the wrong place is seen.</param>
    /// <param name="random"><see cref="RandomBytes"/> bytes that nobody can guess.</param>
    /// <exception cref="ArgumentException">There are fewer or more bytes.</exception>
    public static string Create(bool livemode, ReadOnlySpan<byte> random)
    {
        if (random.Length != RandomBytes)
            throw new ArgumentException($"A key is made of {RandomBytes} random bytes, not {random.Length}.", nameof(random));
        var body = (livemode ? Live : Test) + Convert.ToHexStringLower(random[..IdBytes]) + Dot + Base64Url.EncodeToString(random[IdBytes..]);
        return body + Checksum(body);
    }

    /// <summary>Takes the id, which is all before the dot, out of a key. False for what is no key.</summary>
    public static bool TryReadId([NotNullWhen(true)] string? text, [NotNullWhen(true)] out string? id)
    {
        id = null;
        if (text is not { Length: Length } || text[Length - SecretCharacters - ChecksumCharacters - 1] != Dot)
            return false;
        if (!text.StartsWith(Live, StringComparison.Ordinal) && !text.StartsWith(Test, StringComparison.Ordinal))
            return false;
        var body = text[..^ChecksumCharacters];
        if (!text.AsSpan(body.Length).SequenceEqual(Checksum(body)))
            return false;
        id = text[..text.IndexOf(Dot, StringComparison.Ordinal)];
        return true;
    }

    /// <summary>Whether a key of this id says that it is a live one.</summary>
    public static bool IsLive(string id) => id is not null && id.StartsWith(Live, StringComparison.Ordinal);

    private static string Checksum(string body) =>
        Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(body)).AsSpan(0, ChecksumBytes));
}
