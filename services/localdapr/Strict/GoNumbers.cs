using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace StripeMeter.LocalDapr.Strict;

/// <summary>
/// Reproduces what Go's <c>encoding/json</c> does to numbers when it decodes into <c>any</c>: each becomes a float64. daprd does
/// this to actor state and to JSON events in bulk deliveries. The one place where this code uses floating point, because it
/// copies a defect.
/// </summary>
internal static class GoNumbers
{
    private const int LongestExactDigits = 15;

    /// <summary>The same JSON with every number rounded through a double; the same memory when no number changes.</summary>
    public static ReadOnlyMemory<byte> Round(ReadOnlyMemory<byte> json) => HoldsLongNumber(json.Span) ? Rewrite(json.Span) : json;

    private static bool HoldsLongNumber(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.Number
                && (reader.ValueSpan.Length > LongestExactDigits || reader.ValueSpan.IndexOfAny("eE"u8) >= 0))
                return true;
        }

        return false;
    }

    private static ReadOnlyMemory<byte> Rewrite(ReadOnlySpan<byte> json)
    {
        var buffer = new ArrayBufferWriter<byte>(json.Length + 64);
        var copied = 0;
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.Number)
                continue;
            var start = (int)reader.TokenStartIndex;
            buffer.Write(json[copied..start]);
            buffer.Write(System.Text.Encoding.ASCII.GetBytes(Format(reader.GetDouble())));
            copied = (int)reader.BytesConsumed;
        }

        buffer.Write(json[copied..]);
        return buffer.WrittenMemory;
    }

    /// <summary>Shortest digits that read back the same; without exponent from 1e-6 up to 1e21, as Go writes them.</summary>
    internal static string Format(double value)
    {
        if (value == 0)
            return double.IsNegative(value) ? "-0" : "0";
        var magnitude = Math.Abs(value);
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        if (magnitude is >= 1e-6 and < 1e21)
            return text.Contains('E', StringComparison.Ordinal)
                ? decimal.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture) : text;
        return text.Replace("E", "e", StringComparison.Ordinal);
    }
}
