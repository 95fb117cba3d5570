using System.Text.RegularExpressions;

namespace StripeMeter.Defaults.Telemetry;

/// <summary>Takes secrets, and what names a customer at Stripe, out of text that is logged.</summary>
public static partial class LogRedaction
{
    private const string Hidden = "***";

    public static string Redact(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        text = Keys().Replace(text, "$1" + Hidden);
        text = Customers().Replace(text, "$1" + Hidden);
        text = Passwords().Replace(text, "$1" + Hidden + "@");
        return Credentials().Replace(text, "$1" + Hidden);
    }

    /// <summary>API keys of Stripe and of ours, and secrets of webhooks.</summary>
    [GeneratedRegex(@"\b((?:[srp]k|sm)_(?:live|test)_|whsec_)[A-Za-z0-9_.*+/=-]+")]
    private static partial Regex Keys();

    [GeneratedRegex(@"\b(cus_)[A-Za-z0-9]+")]
    private static partial Regex Customers();

    /// <summary>User and password of a connection string.</summary>
    [GeneratedRegex(@"(\w://)[^/\s@""]+@")]
    private static partial Regex Passwords();

    /// <summary>What follows the name of a credential.</summary>
    [GeneratedRegex(@"((?:Bearer|Basic|x-api-key:|dapr-api-token:)\s+)[^\s"",]+", RegexOptions.IgnoreCase)]
    private static partial Regex Credentials();
}
