namespace StripeMeter.Metering.Pricing.Prices;

/// <summary>How much of a period is billed: <c>Part / Period</c>. Stripe prorates by the second; so does this where instants are whole seconds.</summary>
/// <param name="Part">0 to <paramref name="Period"/>, in any unit of time.</param>
/// <param name="Period">The whole period in the same unit, above 0.</param>
public readonly record struct PeriodShare(long Part, long Period)
{
    public static PeriodShare Whole => new(1, 1);

    public bool IsWhole => Part == Period;

    /// <summary>The share of an amount, rounded half away from zero.</summary>
    /// <exception cref="OverflowException">The amount does not fit into 64 bits.</exception>
    public long Of(ExactAmount amount) => IsWhole ? amount.Round() : amount.Round(Part, Period);
}
