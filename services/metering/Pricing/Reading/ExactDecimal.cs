using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Pricing.Reading;

/// <summary>Quantities as decimals, digit for digit.</summary>
public static class ExactDecimal
{
    /// <summary>With no more decimal places than are needed.</summary>
    /// <exception cref="OverflowException">The quantity has more than 16 integer digits.</exception>
    public static decimal Of(Quantity quantity) => Scaled((decimal)quantity.Units, Quantity.Scale);

    /// <summary>Without the zeros at the end.</summary>
    public static decimal Trim(decimal value) => value == 0 ? 0 : Scaled(value, 0);

    /// <summary>The number divided by a power of ten, without zeros at the end. Unlike a division this keeps every digit.</summary>
    private static decimal Scaled(decimal value, int places)
    {
        var scale = value.Scale + places;
        Span<int> bits = stackalloc int[4];
        decimal.GetBits(value, bits);
        var digits = new decimal(bits[0], bits[1], bits[2], isNegative: false, scale: 0);
        while (scale > 0 && digits % 10 == 0)
            (digits, scale) = (digits / 10, scale - 1);
        decimal.GetBits(digits, bits);
        return new decimal(bits[0], bits[1], bits[2], value < 0, (byte)scale);
    }
}
