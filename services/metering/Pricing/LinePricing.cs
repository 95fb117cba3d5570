using System.Numerics;
using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Pricing;

/// <summary>
/// Prices an invoice line as Stripe does: quantity times unit amount, rounded once, on the line, half away from zero.
/// See https://docs.stripe.com/billing/subscriptions/decimal-amounts.
/// </summary>
public static class LinePricing
{
    /// <summary>Decimal places of a price's unit amount.</summary>
    public const int UnitAmountPlaces = 12;

    /// <param name="quantity">The billed usage.</param>
    /// <param name="unitAmount">Price of one, in minor units, with at most twelve decimal places.</param>
    /// <returns>The line in minor units.</returns>
    /// <exception cref="OverflowException">The line does not fit into 64 bits.</exception>
    /// <exception cref="ArgumentException">The unit amount has more decimal places.</exception>
    public static long Total(Quantity quantity, decimal unitAmount)
    {
        if (unitAmount.Scale > UnitAmountPlaces)
            throw new ArgumentException($"A unit amount has at most {UnitAmountPlaces} decimal places.", nameof(unitAmount));

        // The exact product has up to twice as many digits as either factor: more than 128 bits hold.
        var product = (BigInteger)quantity.Units * Mantissa(unitAmount);
        var divisor = BigInteger.Pow(10, Quantity.Scale + unitAmount.Scale);
        var (whole, rest) = BigInteger.DivRem(BigInteger.Abs(product), divisor);
        if (rest * 2 >= divisor)
            whole++;
        return checked((long)(product.Sign * whole));
    }

    /// <summary>The digits of a decimal without its point.</summary>
    private static BigInteger Mantissa(decimal value)
    {
        Span<int> bits = stackalloc int[4];
        decimal.GetBits(value, bits);
        var (low, middle, high) = unchecked(((uint)bits[0], (uint)bits[1], (uint)bits[2]));
        var magnitude = (new BigInteger(high) << 64) | (new BigInteger(middle) << 32) | low;
        return value < 0 ? -magnitude : magnitude;
    }
}
