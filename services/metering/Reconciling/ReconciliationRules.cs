namespace StripeMeter.Metering.Reconciling;

/// <summary>When a difference is one, and what is read how often.</summary>
public sealed record ReconciliationRules
{
    /// <summary>Part of what Stripe has by which it may differ while a period runs. Behind its end nothing may.</summary>
    public decimal Epsilon { get; init; } = 0.005m;

    /// <summary>After which a period that agreed and has not moved is read once more.</summary>
    public TimeSpan SweepInterval { get; init; } = TimeSpan.FromDays(7);

    /// <summary>So long behind its end a period that agreed is not read again: Stripe takes no older events.</summary>
    public TimeSpan SettledAfter { get; init; } = TimeSpan.FromDays(36);

    /// <summary>For how long lagging summaries are believed to explain a difference before hours are looked into all the same.</summary>
    public TimeSpan LagPatience { get; init; } = TimeSpan.FromHours(3);

    /// <summary>Earlier states kept of a report.</summary>
    public int KeptHistory { get; init; } = 50;

    /// <summary>Runs kept of a tenant.</summary>
    public int KeptRuns { get; init; } = 100;

    /// <summary>Periods compared in one run.</summary>
    public int PeriodsOfRun { get; init; } = 100_000;

    /// <summary>Documents read at a time.</summary>
    public int PageDocuments { get; init; } = 200;

    /// <summary>Metrics, and customer references, named in a report.</summary>
    public int NamedFeeders { get; init; } = 20;
}
