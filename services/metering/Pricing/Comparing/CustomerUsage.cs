using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Pricing.Comparing;

/// <summary>What a customer used in a period.</summary>
/// <param name="Customer">The customer.</param>
/// <param name="Quantities">By metric.</param>
public sealed record CustomerUsage(string Customer, IReadOnlyList<MetricUsage> Quantities);

/// <summary>How much of a metric was used.</summary>
public readonly record struct MetricUsage(string Metric, Quantity Quantity);

/// <summary>What a customer pays by either price list, in minor units.</summary>
public readonly record struct CustomerChange(string Customer, long Before, long After)
{
    public long Difference => checked(After - Before);
}
