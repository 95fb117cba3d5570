namespace StripeMeter.Metering.Pricing;

/// <summary>What is wrong with a configuration, and where.</summary>
/// <param name="Path">The field, such as <c>items[0].price.tiers[1].up_to</c>.</param>
/// <param name="Reason">What is wrong with it.</param>
public readonly record struct PricingProblem(string Path, string Reason)
{
    public override string ToString() => Path.Length > 0 ? $"{Path} {Reason}" : Reason;
}

/// <summary>Prices or invoice terms that cannot be computed with. Nothing was computed.</summary>
public sealed class PricingException : Exception
{
    public PricingException()
    {
    }

    public PricingException(string message) : base(message)
    {
    }

    public PricingException(string message, Exception cause) : base(message, cause)
    {
    }

    public PricingException(params IReadOnlyList<PricingProblem> problems) : base(string.Join("; ", problems)) => Problems = problems;

    public IReadOnlyList<PricingProblem> Problems { get; } = [];
}
