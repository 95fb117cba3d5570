using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Reconciling;

/// <summary>How a period stands between the ledger and Stripe.</summary>
public enum Agreement
{
    /// <summary>It could not be read, or moved meanwhile.</summary>
    Unknown,

    /// <summary>Stripe has what it accepted, or what is in doubt besides.</summary>
    Agrees,

    /// <summary>It has something else, and pushes are so young that summaries may lag.</summary>
    MayLag,

    /// <summary>It has something else.</summary>
    Differs,
}

/// <summary>What an audit found of one period.</summary>
/// <param name="Key">The document.</param>
/// <param name="Period">The billing period.</param>
/// <param name="Agreement">How it stands.</param>
/// <param name="Expected">What Stripe should have: ledger, and what was carried here, less what was carried away.</param>
/// <param name="Accepted">What it said it took.</param>
/// <param name="AtStripe">What its summaries hold; null if they could not be read.</param>
public sealed record PeriodFinding(
    DeltaKey Key, BillingPeriod Period, Agreement Agreement, Quantity Expected, Quantity Accepted, Quantity? AtStripe)
{
    /// <summary>Accepted intents that are looked for because of this, minute by minute; or 1 if a total is told again.</summary>
    public int Doubted { get; init; }

    /// <summary>Minutes that hold what no intent told, and how much: somebody else writes to the meter.</summary>
    public IReadOnlyList<ForeignUsage> Foreign { get; init; } = [];
}

/// <summary>What somebody else told a meter.</summary>
/// <param name="Minute">The minute; where it could not be narrowed down, the start of the stretch.</param>
/// <param name="Value">How much more the meter holds than was told.</param>
public readonly record struct ForeignUsage(Instant Minute, Quantity Value);

/// <summary>What an audit takes for granted.</summary>
/// <param name="Known">What others told and adjustments have taken back: it may stand at Stripe besides.</param>
/// <param name="IsThorough">Looks into the hours although young pushes alone could explain a difference.</param>
public readonly record struct AuditScope(Quantity Known, bool IsThorough);
