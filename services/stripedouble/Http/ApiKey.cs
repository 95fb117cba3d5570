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
        var key = Required(headers);
        if (!Prefixes.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal) && key.Length > prefix.Length))
            throw Unauthorized($"Invalid API key: this is a double of Stripe, which takes keys that start with {string.Join(" or ", Prefixes)}.");
    }

    /// <summary>What a call bears, whatever it is.</summary>
    /// <exception cref="StripeRefusal">It bears nothing.</exception>
    public static string Required(IHeaderDictionary headers) => Read(headers) is { Length: > 0 } key
        ? key
        : throw Unauthorized("You did not provide an API key. Send one as a bearer token in the Authorization header.");

    /// <summary>The same; null when it bears nothing.</summary>
    public static string? Read(IHeaderDictionary headers)
    {
        if (!AuthenticationHeaderValue.TryParse(headers.Authorization.ToString(), out var header))
            return null;
        if (header.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase))
            return header.Parameter;
        var decoded = new byte[header.Parameter?.Length ?? 0];
        return header.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase)
            && Convert.TryFromBase64String(header.Parameter ?? "", decoded, out var length)
                ? Encoding.UTF8.GetString(decoded, 0, length).Split(':')[0]
                : null;
    }

    public static StripeRefusal Unauthorized(string message) => new(HttpStatusCode.Unauthorized, message);
}
