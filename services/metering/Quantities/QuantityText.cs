namespace StripeMeter.Metering.Quantities;

/// <summary>Why a text is not a quantity.</summary>
public enum QuantityTextError
{
    None,
    NotADecimal,
    TooManyIntegerDigits,
    TooManyDecimals,
}

/// <summary>
/// Reads decimal text exactly: digits with an optional sign, fraction and exponent, as JSON writes numbers. Zeros that
/// change nothing may be there in any number up to <see cref="MaximumLength"/> characters.
/// </summary>
public static class QuantityText
{
    /// <summary>Longest text read, in characters.</summary>
    public const int MaximumLength = 100;

    private const int MaximumExponent = 1_000;

    /// <summary>Reads the quantity of an event: at most 15 integer digits and 12 decimals.</summary>
    public static QuantityTextError Read(ReadOnlySpan<char> text, out Quantity quantity) =>
        Read(text, Quantity.MaximumIntegerDigits, out quantity);

    internal static QuantityTextError Read(ReadOnlySpan<char> text, int maximumIntegerDigits, out Quantity quantity)
    {
        quantity = default;
        Span<char> digits = stackalloc char[MaximumLength];
        if (!TrySplit(text, digits, out var count, out var pointAt, out var negative))
            return QuantityTextError.NotADecimal;

        var significant = digits[..count].TrimEnd('0');
        var leadingZeros = significant.Length - significant.TrimStart('0').Length;
        significant = significant[leadingZeros..];
        if (significant.IsEmpty)
            return QuantityTextError.None;

        var integerDigits = pointAt - leadingZeros;
        if (integerDigits > maximumIntegerDigits)
            return QuantityTextError.TooManyIntegerDigits;
        if (significant.Length - integerDigits > Quantity.Scale)
            return QuantityTextError.TooManyDecimals;

        Int128 units = 0;
        foreach (var digit in significant)
            units = (units * 10) + (digit - '0');
        for (var place = significant.Length; place < integerDigits + Quantity.Scale; place++)
            units *= 10;
        quantity = new Quantity(negative ? -units : units);
        return QuantityTextError.None;
    }

    /// <summary>Takes the text apart into its digits and the place of the decimal point among them.</summary>
    private static bool TrySplit(
        ReadOnlySpan<char> text, Span<char> digits, out int count, out int pointAt, out bool negative)
    {
        (count, pointAt, negative) = (0, 0, false);
        if (text.IsEmpty || text.Length > MaximumLength)
            return false;
        negative = text[0] == '-';
        var rest = negative ? text[1..] : text;

        var integerLength = LeadingDigits(rest);
        if (integerLength == 0)
            return false;
        rest[..integerLength].CopyTo(digits);
        (count, pointAt) = (integerLength, integerLength);
        rest = rest[integerLength..];

        if (rest is ['.', ..])
        {
            var fractionLength = LeadingDigits(rest[1..]);
            if (fractionLength == 0)
                return false;
            rest.Slice(1, fractionLength).CopyTo(digits[count..]);
            count += fractionLength;
            rest = rest[(1 + fractionLength)..];
        }

        if (rest.IsEmpty)
            return true;
        if (!TryReadExponent(rest, out var exponent))
            return false;
        pointAt += exponent;
        return true;
    }

    private static bool TryReadExponent(ReadOnlySpan<char> text, out int exponent)
    {
        exponent = 0;
        if (text is not ['e' or 'E', ..])
            return false;
        var digits = text[1..];
        var negative = digits is ['-', ..];
        if (digits is ['-' or '+', ..])
            digits = digits[1..];
        if (digits.IsEmpty || LeadingDigits(digits) != digits.Length)
            return false;
        foreach (var digit in digits)
            exponent = Math.Min(MaximumExponent, (exponent * 10) + (digit - '0'));
        if (negative)
            exponent = -exponent;
        return true;
    }

    private static int LeadingDigits(ReadOnlySpan<char> text)
    {
        var length = text.IndexOfAnyExceptInRange('0', '9');
        return length < 0 ? text.Length : length;
    }
}
