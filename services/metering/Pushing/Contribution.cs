using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Pushing;

/// <summary>
/// What one counter adds to the target of a period. Several customer references may feed one Stripe customer, so a
/// target is a sum of these, each with a version of its own.
/// </summary>
/// <param name="Metric">Metric of the counter.</param>
/// <param name="Customer">Customer reference of the counter.</param>
/// <param name="Value">The mapped aggregate of the counter.</param>
/// <param name="Version">Version of the counter it was read from.</param>
/// <param name="LogId">Log of the counter: versions of different logs cannot be compared.</param>
/// <param name="Newest">Newest instant folded into the counter.</param>
public sealed record Contribution(
    string Metric, string Customer, Quantity Value, CounterVersion Version, string LogId, Instant Newest)
{
    /// <summary>The part of the value that belongs to other Stripe customers, because the reference was theirs before.</summary>
    public Quantity Elsewhere { get; init; }

    /// <summary>The reference belongs to another Stripe customer now. Its share stays here and grows no more.</summary>
    public bool HasLeft { get; init; }

    /// <summary>What it adds to the target here.</summary>
    public Quantity Share => Value - Elsewhere;

    /// <summary>Whether this is the same counter.</summary>
    public bool IsOf(string metric, string customer) => Metric == metric && Customer == customer;
}
