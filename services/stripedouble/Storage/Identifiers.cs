using System.Security.Cryptography;

namespace StripeMeter.StripeDouble.Storage;

internal static class Identifiers
{
    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// <summary>An id as Stripe makes them: a prefix that tells the kind, and random letters and digits.</summary>
    public static string Create(string prefix, int length) => prefix + RandomNumberGenerator.GetString(Alphabet, length);
}
