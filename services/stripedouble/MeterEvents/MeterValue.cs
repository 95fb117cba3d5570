using System.Globalization;

namespace StripeMeter.StripeDouble.MeterEvents;

/// <summary>A quantity, exact: a whole number of 10^-12. Sums of 10^11 of the largest values fit.</summary>
internal readonly record struct MeterValue(Int128 Scaled)
{
    /// <summary>Digits Stripe takes in one value.</summary>
    public const int MaximumDigits = 15;

    /// <summary>Places after the point; Stripe states no limit.</summary>
    public const int MaximumPlaces = 12;

    public static MeterValue Zero => default;

    public static MeterValue One => new(Scale);

    private static Int128 Scale => 1_000_000_000_000;

    public static MeterValue operator +(MeterValue left, MeterValue right) => new(checked(left.Scaled + right.Scaled));

    /// <summary>Reads <c>-12.5</c>: an optional minus, digits, and optionally a point and more digits.</summary>
    /// <param name="text">The text.</param>
    /// <param name="value">The value; zero when there is a problem.</param>
    /// <returns>What is wrong with it, as Stripe would say it; null when nothing is.</returns>
    public static string? TryParse(string text, out MeterValue value)
    {
        value = Zero;
        var digits = text.AsSpan(text.StartsWith('-') ? 1 : 0);
        var point = digits.IndexOf('.');
        var whole = point < 0 ? digits : digits[..point];
        var fraction = point < 0 ? [] : digits[(point + 1)..];
        if (whole.IsEmpty || (point >= 0 && fraction.IsEmpty) || !AreDigits(whole) || !AreDigits(fraction))
            return $"Invalid value in the event payload: {text} is not a decimal number.";
        if (HasTooManyDigits(text))
            return $"The value in the event payload can have at most {MaximumDigits} digits. Received {text}.";
        if (fraction.Length > MaximumPlaces)
            return $"The value in the event payload can have at most {MaximumPlaces} decimal places. Received {text}.";
        var scaled = Int128.Parse($"{whole}{fraction.ToString().PadRight(MaximumPlaces, '0')}", NumberStyles.None, CultureInfo.InvariantCulture);
        value = new(text.StartsWith('-') ? -scaled : scaled);
        return null;
    }

    /// <summary>Whether a text has more digits than Stripe takes, those after the point included.</summary>
    public static bool HasTooManyDigits(string text) =>
        text.TrimStart('-').TrimStart('0', '.').Count(char.IsAsciiDigit) > MaximumDigits;

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <exception cref="FormatException">It did not.</exception>
    public static MeterValue Parse(string text) =>
        TryParse(text, out var value) is { } problem ? throw new FormatException(problem) : value;

    /// <summary>The shortest decimal text, which is a JSON number as well.</summary>
    public override string ToString()
    {
        var (whole, fraction) = Int128.DivRem(Int128.Abs(Scaled), Scale);
        var sign = Scaled < 0 ? "-" : "";
        return fraction == 0
            ? string.Create(CultureInfo.InvariantCulture, $"{sign}{whole}")
            : string.Create(CultureInfo.InvariantCulture, $"{sign}{whole}.{fraction:D12}").TrimEnd('0');
    }

    private static bool AreDigits(ReadOnlySpan<char> text) => !text.ContainsAnyExceptInRange('0', '9');
}
