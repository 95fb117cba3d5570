using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pricing.Invoicing;
using StripeMeter.Metering.Quantities;

namespace StripeMeter.Metering.Pricing.Scenarios;

/// <summary>A customer's usage and prices, and what they should cost: a test of a price list.</summary>
public sealed record Scenario
{
    public required string Name { get; init; }

    public string Description { get; init; } = "";

    public string Version { get; init; } = "1";

    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Whether it is written in the older shape: other words, amounts in units of the currency, classic rules.</summary>
    public bool IsClassic { get; init; }

    public required string Customer { get; init; }

    public required BillingPeriod Period { get; init; }

    public required IReadOnlyList<UsageItem> Items { get; init; }

    public InvoiceTerms Terms { get; init; } = InvoiceTerms.None;

    /// <summary>Null when nothing is expected.</summary>
    public Expectation? Expected { get; init; }

    public required Tolerance Tolerance { get; init; }
}

/// <summary>What an invoice should say, in the units of the file: minor units, or in the older shape units of the currency. Null is not compared.</summary>
public sealed record Expectation(
    decimal Total, decimal? Subtotal, decimal? Discounts, decimal? Credits, decimal? Tax, string? Currency, IReadOnlyList<ExpectedLine> Lines);

/// <summary>What a line should say. The nth of a metric is compared with the nth line of the metric.</summary>
public sealed record ExpectedLine(string Metric, Quantity? Quantity, decimal? UnitPrice, decimal? Subtotal);

/// <summary>How far amounts may differ: by <see cref="Absolute"/>, or by <see cref="Relative"/> of what is expected (of 1 at least).</summary>
public readonly record struct Tolerance(decimal Absolute, decimal Relative)
{
    public static Tolerance Exact => default;

    /// <summary>What the older shape allows when a file says nothing.</summary>
    public static Tolerance Classic => new(0.001m, 0.0005m);

    public bool Allows(decimal expected, decimal actual)
    {
        var distance = Math.Abs(expected - actual);
        return distance <= Absolute || distance <= Relative * Math.Max(1, Math.Abs(expected));
    }
}
