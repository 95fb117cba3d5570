using System.Globalization;

namespace StripeMeter.Metering.Pricing;

/// <summary>Writes amounts of minor units in units of the currency, exactly.</summary>
public static class AmountText
{
    /// <summary>With as many decimals as the currency has: 247 cents are <c>2.47</c>, 100 are <c>1.00</c>.</summary>
    public static string Of(long minorUnits, Currency currency) =>
        UnitsOf(minorUnits, currency).ToString(CultureInfo.InvariantCulture);

    /// <summary>With the decimals it needs: 0.2 cents are <c>0.002</c>.</summary>
    /// <exception cref="OverflowException">The amount has more digits than can be kept.</exception>
    public static string OfUnit(decimal minorUnits, Currency currency)
    {
        var text = UnitsOf(minorUnits, currency).ToString(CultureInfo.InvariantCulture);
        return text.Contains('.', StringComparison.Ordinal) ? text.TrimEnd('0').TrimEnd('.') : text;
    }

    /// <summary>Before rounding, with all its decimals: 111.6 cents are <c>1.116</c>.</summary>
    public static string Exact(ExactAmount amount, Currency currency)
    {
        var text = amount.ToString();
        var sign = text[0] == '-' ? "-" : "";
        var (whole, fraction) = text[sign.Length..].Split('.') is [var left, var right] ? (left, right) : (text[sign.Length..], "");
        whole = whole.PadLeft(currency.MinorDigits + 1, '0');
        fraction = (whole[^currency.MinorDigits..] + fraction).TrimEnd('0');
        whole = whole[..^currency.MinorDigits];
        return fraction.Length == 0 ? sign + whole : $"{sign}{whole}.{fraction}";
    }

    /// <summary>In units of the currency. Moves the decimal point: unlike a division this keeps every digit.</summary>
    /// <exception cref="OverflowException">The amount has more digits than can be kept.</exception>
    public static decimal UnitsOf(decimal minorUnits, Currency currency)
    {
        Span<int> bits = stackalloc int[4];
        decimal.GetBits(minorUnits, bits);
        var scale = minorUnits.Scale + currency.MinorDigits;
        if (scale > 28)
            throw new OverflowException("The amount has too many decimal places.");
        return new decimal(bits[0], bits[1], bits[2], minorUnits < 0, (byte)scale);
    }
}
