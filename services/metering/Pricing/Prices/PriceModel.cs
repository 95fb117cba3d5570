using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Pricing.Prices;

/// <summary>
/// A price: Stripe's models, and around them what Stripe leaves to its users (included quantity, minimum, maximum).
/// </summary>
/// <param name="Currency">The currency of its amounts.</param>
/// <param name="Scheme">How quantities become charges.</param>
public sealed record PriceModel(Currency Currency, BillingScheme Scheme)
{
    /// <summary>Units that cost nothing. They are taken off before tiers and packages are looked at.</summary>
    public Quantity IncludedQuantity { get; init; }

    /// <summary>Least amount of the line in minor units; 0 when there is none.</summary>
    public long Minimum { get; init; }

    /// <summary>Greatest amount of the line in minor units; null when there is none. It wins over the minimum.</summary>
    public long? Maximum { get; init; }

    /// <summary>What is wrong with the price. Paths are Stripe's names.</summary>
    public IEnumerable<PricingProblem> Problems()
    {
        foreach (var problem in Scheme.Problems())
            yield return problem;
        if (IncludedQuantity < Quantity.Zero)
            yield return new PricingProblem("included_quantity", "must not be negative");
        if (Minimum < 0)
            yield return new PricingProblem("minimum", "must not be negative");
        if (Maximum < 0)
            yield return new PricingProblem("maximum", "must not be negative");
        if (Maximum < Minimum)
            yield return new PricingProblem("maximum", "must not be below the minimum");
    }

    /// <summary>The price itself, if it can be computed with.</summary>
    /// <exception cref="PricingException">It cannot; every reason names its field.</exception>
    public PriceModel Checked(string path = "price")
    {
        var problems = Problems().Select(problem => problem with { Path = $"{path}.{problem.Path}" }).ToArray();
        return problems.Length == 0 ? this : throw new PricingException(problems);
    }
}
