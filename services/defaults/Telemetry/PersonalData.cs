using System.Security.Cryptography;
using System.Text;

namespace StripeMeter.Defaults.Telemetry;

/// <summary>How logs name customers: so that lines about one can be told from those about another, and nobody is named.</summary>
public static class PersonalData
{
    private const int Digits = 12;

    /// <summary>The beginning of the SHA-256 of a reference, in hexadecimal: <c>printf %s REFERENCE | sha256sum</c> finds it.</summary>
    public static string Pseudonym(string reference)
    {
        ArgumentNullException.ThrowIfNull(reference);
        return "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(reference)))[..Digits];
    }
}
