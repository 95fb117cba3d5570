using System.Globalization;

namespace StripeMeter.Metering.Pricing;

/// <summary>Writes amounts of minor units in units of the currency, exactly.</summary>
public static class AmountText
{
    /// <summary>With as many decimals as the currency has: 247 cents are <c>2.47</c>, 100 are <c>1.00</c>.</summary>
    public static string Of(long minorUnits, Currency currency) =>
        Shift(minorUnits, currency).ToString(CultureInfo.InvariantCulture);

    /// <summary>With the decimals it needs: 0.2 cents are <c>0.002</c>.</summary>
    /// <exception cref="OverflowException">The amount has more digits than can be kept.</exception>
    public static string OfUnit(decimal minorUnits, Currency currency)
    {
        var text = Shift(minorUnits, currency).ToString(CultureInfo.InvariantCulture);
        return text.Contains('.', StringComparison.Ordinal) ? text.TrimEnd('0').TrimEnd('.') : text;
    }

    /// <summary>Moves the decimal point. Unlike a division this keeps every digit.</summary>
    private static decimal Shift(decimal minorUnits, Currency currency)
    {
        Span<int> bits = stackalloc int[4];
        decimal.GetBits(minorUnits, bits);
        var scale = minorUnits.Scale + currency.MinorDigits;
        if (scale > 28)
            throw new OverflowException("The amount has too many decimal places.");
        return new decimal(bits[0], bits[1], bits[2], minorUnits < 0, (byte)scale);
    }
}
