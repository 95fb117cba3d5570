using System.Globalization;
using System.Numerics;
using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Pricing;

/// <summary>
/// An amount of minor units before it is rounded: the exact product of a quantity and a unit amount, at any size.
/// Nothing is lost until <see cref="Round()"/>, which is where Stripe rounds as well: once, on a line.
/// </summary>
public readonly record struct ExactAmount
{
    /// <summary>Decimal places of a price's unit amount, as Stripe bounds <c>unit_amount_decimal</c>.</summary>
    public const int UnitAmountPlaces = 12;

    private const int Scale = Quantity.Scale + UnitAmountPlaces;
    private static readonly BigInteger[] Powers = [.. Enumerable.Range(0, Scale + 1).Select(power => BigInteger.Pow(10, power))];

    private readonly BigInteger _units;

    private ExactAmount(BigInteger units) => _units = units;

    public static ExactAmount Zero => default;

    /// <exception cref="ArgumentException">The unit amount has more than twelve decimal places.</exception>
    public static ExactAmount Product(Quantity quantity, decimal unitAmount)
    {
        if (unitAmount.Scale > UnitAmountPlaces)
            throw new ArgumentException($"A unit amount has at most {UnitAmountPlaces} decimal places.", nameof(unitAmount));
        return new ExactAmount((BigInteger)quantity.Units * Mantissa(unitAmount) * Powers[UnitAmountPlaces - unitAmount.Scale]);
    }

    public static ExactAmount Of(decimal minorUnits) => Product(Quantity.One, minorUnits);

    public static ExactAmount operator +(ExactAmount left, ExactAmount right) => new(left._units + right._units);

    public static ExactAmount operator -(ExactAmount left, ExactAmount right) => new(left._units - right._units);

    public bool IsWhole => (_units % Powers[Scale]).IsZero;

    /// <summary>The nearest minor unit; half goes away from zero.</summary>
    /// <exception cref="OverflowException">The amount does not fit into 64 bits.</exception>
    public long Round() => Nearest(_units, Powers[Scale]);

    /// <summary>The share <c>numerator / denominator</c> of the amount, rounded once.</summary>
    /// <exception cref="OverflowException">The amount does not fit into 64 bits.</exception>
    public long Round(long numerator, long denominator) => Nearest(_units * numerator, Powers[Scale] * denominator);

    /// <summary>Exact, in minor units, without trailing zeros.</summary>
    public override string ToString()
    {
        var (whole, rest) = BigInteger.DivRem(BigInteger.Abs(_units), Powers[Scale]);
        var text = (_units.Sign < 0 ? "-" : "") + whole.ToString(CultureInfo.InvariantCulture);
        return rest.IsZero ? text : $"{text}.{rest.ToString("D" + Scale, CultureInfo.InvariantCulture).TrimEnd('0')}";
    }

    private static long Nearest(BigInteger dividend, BigInteger divisor)
    {
        var (whole, rest) = BigInteger.DivRem(BigInteger.Abs(dividend), divisor);
        if (rest * 2 >= divisor)
            whole++;
        return (long)(dividend.Sign * whole);
    }

    /// <summary>The digits of a decimal without its point.</summary>
    private static BigInteger Mantissa(decimal value)
    {
        Span<int> bits = stackalloc int[4];
        decimal.GetBits(value, bits);
        var (low, middle, high) = unchecked(((uint)bits[0], (uint)bits[1], (uint)bits[2]));
        var magnitude = high == 0
            ? new BigInteger(((ulong)middle << 32) | low)
            : (new BigInteger(high) << 64) | (((ulong)middle << 32) | low);
        return value < 0 ? -magnitude : magnitude;
    }
}
