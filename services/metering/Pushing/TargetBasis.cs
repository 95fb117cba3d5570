using StripeMeter.Metering.Counting;

namespace StripeMeter.Metering.Pushing;

/// <summary>A counter as a push told of it.</summary>
/// <param name="Metric">Metric of the counter.</param>
/// <param name="Customer">Customer reference of the counter.</param>
/// <param name="LogId">Log of the counter: positions of different logs cannot be compared.</param>
/// <param name="Version">Which records were in it.</param>
public sealed record ToldCounter(string Metric, string Customer, string LogId, CounterVersion Version);

/// <summary>The counters that a target was the sum of. Of many only the first are named.</summary>
public sealed record TargetBasis(IReadOnlyList<ToldCounter> Counters)
{
    /// <summary>Counters named.</summary>
    public const int MaximumCounters = 20;

    public static TargetBasis None { get; } = new([]);

    public static TargetBasis Of(PeriodDelta delta)
    {
        ArgumentNullException.ThrowIfNull(delta);
        return new TargetBasis([.. delta.Contributions.Where(contribution => !contribution.HasLeft).Take(MaximumCounters)
            .Select(contribution => new ToldCounter(contribution.Metric, contribution.Customer, contribution.LogId, contribution.Version))]);
    }

    public ToldCounter? Find(string metric, string customer) =>
        Counters.FirstOrDefault(counter => counter.Metric == metric && counter.Customer == customer);

    public bool Equals(TargetBasis? other) => other is not null && Counters.SequenceEqual(other.Counters);

    public override int GetHashCode() => Counters.Count > 0 ? Counters[0].GetHashCode() : 0;
}
