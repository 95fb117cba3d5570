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
    /// <summary>Restricted keys that may read and not write, by which it can be seen what such a key is told.</summary>
    private const string ReadOnlyPrefix = "rk_test_read_";

    private static readonly string[] Prefixes = ["sk_test_", "rk_test_"];

    /// <exception cref="StripeRefusal">There is no key, or it is not a test key.</exception>
    public static void Check(IHeaderDictionary headers)
    {
        var key = Required(headers);
        if (!Prefixes.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal) && key.Length > prefix.Length))
            throw Unauthorized($"Invalid API key: this is a double of Stripe, which takes keys that start with {string.Join(" or ", Prefixes)}.");
    }

    /// <summary>Refuses what a restricted key may not do in an account, in the way in which Stripe names what is missing.</summary>
    /// <exception cref="StripeRefusal">It would write, and its key may only read.</exception>
    public static void CheckPermission(HttpRequest request, string account)
    {
        if (HttpMethods.IsGet(request.Method) || Read(request.Headers)?.StartsWith(ReadOnlyPrefix, StringComparison.Ordinal) != true)
            return;
        throw new StripeRefusal(
            HttpStatusCode.Forbidden,
            $"The provided key '{ReadOnlyPrefix}…' does not have the required permissions for this endpoint on account '{account}'.{Missing(request.Path)}");
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

    // Only this permission is known by its name.
    private static string Missing(PathString path) => path.Value?.Contains("/billing/meter", StringComparison.Ordinal) == true
        ? " Having the 'rak_billing_meter_write' permission would allow this request to continue."
        : "";

    public static StripeRefusal Unauthorized(string message) => new(HttpStatusCode.Unauthorized, message);
}
