using System.Security.Cryptography;
using System.Text;

namespace StripeMeter.Metering.Identity;

/// <summary>
/// The secret of an installation, from which the key of each purpose is derived: what is made for one purpose is worth
/// nothing for another.
/// </summary>
public sealed class KeySecret
{
    /// <summary>Fewest characters of the secret.</summary>
    public const int MinimumLength = 32;

    private const int KeyBytes = 32;
    private readonly byte[] _hashing;
    private readonly byte[] _secret;

    /// <exception cref="ArgumentException">The secret is too short to be one.</exception>
    public KeySecret(string secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        if (secret.Length < MinimumLength)
            throw new ArgumentException($"The secret must have at least {MinimumLength} characters.", nameof(secret));
        _secret = Encoding.UTF8.GetBytes(secret);
        _hashing = Derive("api-keys");
    }

    /// <summary>The key for a purpose.</summary>
    public byte[] Derive(string purpose) => HKDF.DeriveKey(
        HashAlgorithmName.SHA256, _secret, KeyBytes, info: Encoding.UTF8.GetBytes("stripemeter/" + purpose));

    /// <summary>What is stored of an API key, as hexadecimal digits.</summary>
    public string HashOf(string apiKey) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(_hashing, Encoding.UTF8.GetBytes(apiKey)));

    /// <summary>Compares in a time that tells nothing.</summary>
    public bool Matches(string apiKey, string hash) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(HashOf(apiKey)), Encoding.ASCII.GetBytes(hash));
}
