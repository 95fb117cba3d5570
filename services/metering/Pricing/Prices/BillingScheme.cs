using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Pricing.Prices;

/// <summary>How a price turns a quantity into charges. See https://docs.stripe.com/products-prices/pricing-models.</summary>
public abstract record BillingScheme
{
    /// <summary>The charges of a quantity that is not negative, before rounding.</summary>
    public abstract IEnumerable<Charge> ChargesOf(Quantity quantity);

    /// <summary>What is wrong with it; paths are Stripe's names.</summary>
    public abstract IEnumerable<PricingProblem> Problems();

    /// <summary>Amounts are not negative and have at most twelve decimal places.</summary>
    private protected static IEnumerable<PricingProblem> AmountProblems(string path, decimal amount)
    {
        if (amount < 0)
            yield return new PricingProblem(path, "must not be negative");
        if (amount.Scale > ExactAmount.UnitAmountPlaces)
            yield return new PricingProblem(path, $"has more than {ExactAmount.UnitAmountPlaces} decimals");
    }
}

/// <summary>Each unit costs the same.</summary>
/// <param name="UnitAmount">Minor units, at most twelve decimals.</param>
public sealed record PerUnitScheme(decimal UnitAmount) : BillingScheme
{
    public override IEnumerable<Charge> ChargesOf(Quantity quantity) => [new Charge(ChargeKind.Units, null, quantity, UnitAmount)];

    public override IEnumerable<PricingProblem> Problems() => AmountProblems("unit_amount", UnitAmount);
}

/// <summary>
/// Units are sold in packages: Stripe's <c>transform_quantity</c>. The quantity is divided exactly and then made whole.
/// </summary>
/// <param name="UnitAmount">Price of a package in minor units, at most twelve decimals.</param>
/// <param name="DivideBy">Units in a package, at least 1.</param>
/// <param name="RoundUp">Whether a package that is begun is paid; else it is free.</param>
public sealed record PackageScheme(decimal UnitAmount, long DivideBy, bool RoundUp = true) : BillingScheme
{
    public override IEnumerable<Charge> ChargesOf(Quantity quantity)
    {
        var (packages, rest) = Int128.DivRem(quantity.Units, Quantity.FromInteger(DivideBy).Units);
        if (RoundUp && rest > 0)
            packages++;
        yield return new Charge(ChargeKind.Packages, null, new Quantity(checked(packages * Quantity.One.Units)), UnitAmount);
    }

    public override IEnumerable<PricingProblem> Problems()
    {
        foreach (var problem in AmountProblems("unit_amount", UnitAmount))
            yield return problem;
        if (DivideBy < 1)
            yield return new PricingProblem("transform_quantity.divide_by", "must be at least 1");
    }
}
