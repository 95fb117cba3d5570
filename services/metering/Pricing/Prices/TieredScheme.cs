using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Pricing.Prices;

/// <summary>How the tiers of a price are read.</summary>
public enum TiersMode
{
    /// <summary>Each unit costs what the tier says that it falls in.</summary>
    Graduated,

    /// <summary>All units cost what the tier says that the whole quantity falls in.</summary>
    Volume,
}

/// <summary>A tier of a price.</summary>
/// <param name="UpTo">The last quantity of the tier, inclusive; null without bound.</param>
/// <param name="UnitAmount">Minor units for each unit, at most twelve decimals.</param>
/// <param name="FlatAmount">Minor units for the tier as such, at most twelve decimals.</param>
public sealed record PriceTier(Quantity? UpTo, decimal UnitAmount, decimal FlatAmount = 0);

/// <summary>
/// Units cost by tiers. A quantity that is not whole crosses a bound where it lies: 1000.5 units with a bound of 1000
/// are 1000 and a half. See https://docs.stripe.com/subscriptions/pricing-models/tiered-pricing.
/// </summary>
public sealed record TieredScheme(TiersMode Mode, IReadOnlyList<PriceTier> Tiers) : BillingScheme
{
    /// <summary>Most tiers a price may have.</summary>
    public const int MaximumTiers = 1_000;

    /// <summary>Whether the first tier's flat amount is due when nothing is used. On Stripe's invoices it is.</summary>
    public bool ChargesFlatAtZero { get; init; } = true;

    public override IEnumerable<Charge> ChargesOf(Quantity quantity) =>
        Mode == TiersMode.Volume ? Volume(quantity) : Graduated(quantity);

    public override IEnumerable<PricingProblem> Problems()
    {
        if (Tiers.Count is 0 or > MaximumTiers)
        {
            yield return new PricingProblem("tiers", $"must be 1 to {MaximumTiers}");
            yield break;
        }

        foreach (var problem in Tiers.SelectMany((tier, index) => TierProblems(tier, $"tiers[{index}]")))
            yield return problem;
        for (var index = 0; index < Tiers.Count; index++)
        {
            if (BoundProblem(index) is { } reason)
                yield return new PricingProblem($"tiers[{index}].up_to", reason);
        }
    }

    public bool Equals(TieredScheme? other) => other is not null
        && (Mode, ChargesFlatAtZero) == (other.Mode, other.ChargesFlatAtZero) && Tiers.SequenceEqual(other.Tiers);

    public override int GetHashCode() => HashCode.Combine(Mode, ChargesFlatAtZero, Tiers.Count);

    private IEnumerable<Charge> Graduated(Quantity quantity)
    {
        var from = Quantity.Zero;
        for (var index = 0; index < Tiers.Count && (index == 0 || quantity > from); index++)
        {
            var tier = Tiers[index];
            var upTo = tier.UpTo is { } bound ? Quantity.Min(bound, quantity) : quantity;
            yield return new Charge(ChargeKind.Units, index + 1, upTo - from, tier.UnitAmount);
            if (Flat(tier, index, quantity) is { } flat)
                yield return flat;
            from = upTo;
        }
    }

    private IEnumerable<Charge> Volume(Quantity quantity)
    {
        var index = 0;
        while (Tiers[index].UpTo is { } bound && quantity > bound)
            index++;
        yield return new Charge(ChargeKind.Units, index + 1, quantity, Tiers[index].UnitAmount);
        if (Flat(Tiers[index], index, quantity) is { } flat)
            yield return flat;
    }

    private Charge? Flat(PriceTier tier, int index, Quantity quantity) =>
        tier.FlatAmount == 0 || (quantity == Quantity.Zero && !ChargesFlatAtZero)
            ? null
            : new Charge(ChargeKind.Flat, index + 1, Quantity.One, tier.FlatAmount);

    private static IEnumerable<PricingProblem> TierProblems(PriceTier tier, string path) =>
        AmountProblems(path + ".unit_amount", tier.UnitAmount).Concat(AmountProblems(path + ".flat_amount", tier.FlatAmount));

    private string? BoundProblem(int index)
    {
        var last = index == Tiers.Count - 1;
        if (Tiers[index].UpTo is not { } bound)
            return last ? null : "is without bound, but tiers follow";
        if (last)
            return "must be inf: the last tier has no bound";
        if (!bound.IsPositive)
            return "must be above 0";
        return index > 0 && Tiers[index - 1].UpTo is { } previous && bound <= previous
            ? $"must be above {previous}, where the tier before it ends" : null;
    }
}
