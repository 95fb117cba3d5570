using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Pricing.Prices;

/// <summary>What a part of a line is for.</summary>
public enum ChargeKind
{
    /// <summary>Units, each at a unit amount.</summary>
    Units,

    /// <summary>Packages, each at a unit amount.</summary>
    Packages,

    /// <summary>The flat amount of a tier.</summary>
    Flat,

    /// <summary>Units that the price includes for nothing.</summary>
    Included,

    /// <summary>What is missing to the minimum of the line.</summary>
    Minimum,

    /// <summary>What is above the maximum of the line; negative.</summary>
    Maximum,

    /// <summary>The difference between a line that is rounded once and the sum of its rounded parts.</summary>
    Rounding,
}

/// <summary>A part of a line before rounding.</summary>
/// <param name="Kind">What it is for.</param>
/// <param name="Tier">The tier, from 1; null where there are none.</param>
/// <param name="Quantity">How many; 1 for a flat amount.</param>
/// <param name="UnitAmount">Minor units for each.</param>
public readonly record struct Charge(ChargeKind Kind, int? Tier, Quantity Quantity, decimal UnitAmount)
{
    public ExactAmount Amount => ExactAmount.Product(Quantity, UnitAmount);
}
