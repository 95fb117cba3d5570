using System.Numerics;
using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Reconciling;

/// <summary>How much two totals differ.</summary>
public static class Drift
{
    private const int PartsOfOne = 1_000_000;

    /// <summary>Largest fraction that is told.</summary>
    public const decimal Maximum = 1_000_000m;

    /// <summary>
    /// A difference as a part of what Stripe has, to six places, never below zero. Where Stripe has nothing any
    /// difference is all of it.
    /// </summary>
    public static decimal FractionOf(Quantity difference, Quantity atStripe)
    {
        if (difference == Quantity.Zero)
            return 0;
        if (atStripe == Quantity.Zero)
            return 1;
        var parts = BigInteger.Abs((BigInteger)difference.Units * PartsOfOne / (BigInteger)atStripe.Units);
        return parts >= (BigInteger)(Maximum * PartsOfOne) ? Maximum : (decimal)parts / PartsOfOne;
    }

    /// <summary>The amount without its sign.</summary>
    public static Quantity Magnitude(Quantity difference) => difference < Quantity.Zero ? -difference : difference;
}
