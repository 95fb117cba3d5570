using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Pricing.Prices;

/// <summary>A part of a line after rounding. On Stripe's invoices each is a line of its own.</summary>
/// <param name="Kind">What it is for.</param>
/// <param name="Tier">The tier, from 1; null where there are none.</param>
/// <param name="Quantity">How many; 1 for a flat amount.</param>
/// <param name="UnitAmount">Minor units for each.</param>
/// <param name="Exact">Before rounding and before proration, in minor units.</param>
/// <param name="Amount">Minor units.</param>
public sealed record LinePart(
    ChargeKind Kind, int? Tier, Quantity Quantity, decimal UnitAmount, ExactAmount Exact, long Amount);

/// <summary>What some usage costs by one price. The amounts of the parts add up to the amount of the line.</summary>
/// <param name="Usage">What was used.</param>
/// <param name="Billed">What is billed of it: not below zero, and without what is included.</param>
/// <param name="Parts">Why the amount is what it is.</param>
/// <param name="Amount">Minor units.</param>
public sealed record PricedUsage(Quantity Usage, Quantity Billed, IReadOnlyList<LinePart> Parts, long Amount);
