using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace StripeMeter.StripeDouble.Http;

/// <summary>
/// Who calls. Any test key will do, as bearer or as the name of basic authentication; a live one is refused, so that a
/// system set up for the real account cannot mistake the double for it.
/// </summary>
internal static class ApiKey
{
    private static readonly string[] Prefixes = ["sk_test_", "rk_test_"];

    /// <exception cref="StripeRefusal">There is no key, or it is not a test key.</exception>
    public static void Check(IHeaderDictionary headers)
    {
        if (Read(headers.Authorization.ToString()) is not { Length: > 0 } key)
            throw Unauthorized("You did not provide an API key. Send one as a bearer token in the Authorization header.");
        if (!Prefixes.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal) && key.Length > prefix.Length))
            throw Unauthorized($"Invalid API key: this is a double of Stripe, which takes keys that start with {string.Join(" or ", Prefixes)}.");
    }

    private static string? Read(string authorization)
    {
        if (!AuthenticationHeaderValue.TryParse(authorization, out var header))
            return null;
        if (header.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase))
            return header.Parameter;
        var decoded = new byte[header.Parameter?.Length ?? 0];
        return header.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase)
            && Convert.TryFromBase64String(header.Parameter ?? "", decoded, out var length)
                ? Encoding.UTF8.GetString(decoded, 0, length).Split(':')[0]
                : null;
    }

    private static StripeRefusal Unauthorized(string message) => new(HttpStatusCode.Unauthorized, message);
}
