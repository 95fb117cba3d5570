using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace StripeMeter.Metering.Pushing;

/// <summary>
/// Makes identifiers of meter events: <c>sm_</c>, 16 digits of the hash of the document's key, the number of the intent,
/// and 128 random bits, which keep a document restored from a backup from minting an identifier again. At most 72 of the
/// 100 characters Stripe takes. Whether Stripe holds them unique per account, meter or customer does not matter.
/// </summary>
public static class IntentIdentifier
{
    private const int HashBytes = 8;

    public static string Of(in DeltaKey key, long number, UInt128 nonce)
    {
        var text = string.Join('\n', key.Account, key.Livemode ? "live" : "test", key.MeterId, key.StripeCustomer);
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, HashBytes));
        return string.Create(CultureInfo.InvariantCulture, $"sm_{hash}_{number}_{nonce:x32}");
    }
}
