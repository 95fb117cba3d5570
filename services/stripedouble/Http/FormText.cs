using System.Globalization;
using System.Net;
using System.Text;

namespace StripeMeter.StripeDouble.Http;

/// <summary>Reads <c>application/x-www-form-urlencoded</c> text, as bodies and query strings hold it.</summary>
internal static class FormText
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The pairs in the order in which they stand.</summary>
    /// <exception cref="StripeRefusal">The text is not form-encoded UTF-8, or has too many pairs.</exception>
    public static List<KeyValuePair<string, string>> Read(ReadOnlySpan<byte> text, int maximumPairs)
    {
        var pairs = new List<KeyValuePair<string, string>>();
        foreach (var range in text.Split((byte)'&'))
        {
            var pair = text[range];
            if (pair.IsEmpty)
                continue;
            if (pairs.Count == maximumPairs)
                throw Unreadable($"it has more than {maximumPairs} parameters");
            var equals = pair.IndexOf((byte)'=');
            pairs.Add(equals < 0
                ? new(Decode(pair), "")
                : new(Decode(pair[..equals]), Decode(pair[(equals + 1)..])));
        }

        return pairs;
    }

    private static string Decode(ReadOnlySpan<byte> text)
    {
        var decoded = new byte[text.Length];
        var length = 0;
        for (var index = 0; index < text.Length; index++)
        {
            var letter = text[index];
            if (letter == '%')
            {
                if (index + 2 >= text.Length
                    || !byte.TryParse(text.Slice(index + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out letter))
                {
                    throw Unreadable("a percent sign must be followed by two hexadecimal digits");
                }

                index += 2;
            }
            else if (letter == '+')
            {
                letter = (byte)' ';
            }

            decoded[length++] = letter;
        }

        try
        {
            return StrictUtf8.GetString(decoded, 0, length);
        }
        catch (DecoderFallbackException)
        {
            throw Unreadable("it is not UTF-8");
        }
    }

    private static StripeRefusal Unreadable(string why) =>
        new(HttpStatusCode.BadRequest, $"The request's parameters cannot be read: {why}.");
}
