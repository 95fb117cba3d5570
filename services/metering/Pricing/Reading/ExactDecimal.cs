using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Pricing.Reading;

/// <summary>Quantities as decimals, digit for digit.</summary>
public static class ExactDecimal
{
    /// <summary>With no more decimal places than are needed.</summary>
    /// <exception cref="OverflowException">The quantity has more than 16 integer digits.</exception>
    public static decimal Of(Quantity quantity)
    {
        var units = (decimal)quantity.Units;
        var scale = Quantity.Scale;
        while (scale > 0 && units % 10 == 0)
            (units, scale) = (units / 10, scale - 1);
        Span<int> bits = stackalloc int[4];
        decimal.GetBits(units, bits);
        return new decimal(bits[0], bits[1], bits[2], units < 0, (byte)scale);
    }
}
