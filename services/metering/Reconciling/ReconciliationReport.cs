using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Reconciling;

/// <summary>How a period stands. The numbers are on disk and in the protocol.</summary>
public enum ReconciliationStatus
{
    /// <summary>Stripe has what it should.</summary>
    Ok = 1,

    /// <summary>It has something else.</summary>
    Investigate = 2,

    /// <summary>It had something else once, and has what it should now.</summary>
    Resolved = 3,
}

/// <summary>Why a period stands as it does. The numbers are on disk and in the protocol.</summary>
public enum DriftReason
{
    /// <summary>Nothing differs.</summary>
    None = 0,

    /// <summary>Pushes are so young that Stripe may not show them yet.</summary>
    SummariesLag = 1,

    /// <summary>Pushes that Stripe accepted are looked for, each in its own minute; what is missing is told again by itself.</summary>
    LookedFor = 2,

    /// <summary>Somebody else writes to the meter.</summary>
    ForeignWriter = 3,

    /// <summary>Usage came too late for the invoice, and is not carried.</summary>
    Unbilled = 4,

    /// <summary>A total that overwrites is told again.</summary>
    ToldAgain = 5,

    /// <summary>None of these.</summary>
    Unexplained = 6,
}

/// <summary>A correction that would make Stripe's total right again.</summary>
/// <param name="Id">Names it when it is applied.</param>
/// <param name="Metric">Metric of the counter it changes.</param>
/// <param name="Customer">Customer reference of the counter.</param>
/// <param name="Delta">What the counter's sum would change by.</param>
public sealed record AdjustmentSuggestion(string Id, string Metric, string Customer, Quantity Delta);

/// <summary>A suggestion that was applied.</summary>
/// <param name="SuggestionId">The suggestion.</param>
/// <param name="AdjustmentId">The adjustment it became.</param>
/// <param name="Delta">What it changes.</param>
public sealed record AppliedSuggestion(string SuggestionId, string AdjustmentId, Quantity Delta);

/// <summary>
/// How one billing period of a Stripe customer on a meter stands between the ledger and Stripe. There is one present
/// report of each; what it said before is its history.
/// </summary>
public sealed record ReconciliationReport
{
    public required DeltaKey Key { get; init; }

    public required BillingPeriod Period { get; init; }

    /// <summary>Of a test account that is told what is billed elsewhere. Counts in no sum, and nothing is adjusted for it.</summary>
    public bool IsShadow { get; init; }

    /// <summary>Metrics that feed the meter.</summary>
    public IReadOnlyList<string> Metrics { get; init; } = [];

    /// <summary>Customer references that feed it.</summary>
    public IReadOnlyList<string> Customers { get; init; } = [];

    /// <summary>What the ledger counts.</summary>
    public Quantity Ledger { get; init; }

    public Quantity CarriedIn { get; init; }

    public Quantity CarriedOut { get; init; }

    /// <summary>What Stripe said it took.</summary>
    public Quantity Accepted { get; init; }

    /// <summary>What its summaries hold.</summary>
    public Quantity AtStripe { get; init; }

    /// <summary>What Stripe has more than it should, without what is on its way or may lag. Below zero: less.</summary>
    public Quantity Drift { get; init; }

    /// <summary>What others told, and adjustments have taken back: it stands at Stripe besides.</summary>
    public Quantity TakenBack { get; init; }

    /// <summary>What cannot be billed any more.</summary>
    public Quantity Unbilled { get; init; }

    public ReconciliationStatus Status { get; init; }

    public DriftReason Reason { get; init; }

    /// <summary>Minutes in which somebody else wrote to the meter.</summary>
    public IReadOnlyList<ForeignUsage> Foreign { get; init; } = [];

    /// <summary>What would put it right; null if it comes right by itself, or nothing can.</summary>
    public AdjustmentSuggestion? Suggestion { get; init; }

    /// <summary>Suggestions that were applied, those that were reverted since too.</summary>
    public IReadOnlyList<AppliedSuggestion> Applied { get; init; } = [];

    /// <summary>When it was compared last.</summary>
    public Instant Checked { get; init; }

    /// <summary>Since when lagging summaries may explain it; null if they need not.</summary>
    public Instant? LaggingSince { get; init; }

    /// <summary>Intents minted when it was compared: whether it has moved since.</summary>
    public long Minted { get; init; }

    /// <summary>Entries of the history so far.</summary>
    public int Changes { get; init; }

    /// <summary>
    /// What Stripe should have: the ledger, and what was carried here, less what was carried away, and what adjustments
    /// have taken back.
    /// </summary>
    public Quantity Expected => Ledger + CarriedIn - CarriedOut + TakenBack;

    /// <summary>What is still on its way, below zero after a correction.</summary>
    public Quantity InFlight => Ledger + CarriedIn - CarriedOut - Accepted;

    /// <summary>Drift as a part of what Stripe has.</summary>
    public decimal DriftFraction => Reconciling.Drift.FractionOf(Drift, AtStripe);

    public string Id => ReportId.Of(Key, Period.Start);

    /// <summary>Whether it tells something else than another one. When it was compared is of no matter.</summary>
    public bool TellsOtherThan(ReconciliationReport other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return (Ledger, CarriedIn, CarriedOut, Accepted, AtStripe) != (other.Ledger, other.CarriedIn, other.CarriedOut, other.Accepted, other.AtStripe)
            || (Drift, TakenBack, Unbilled, Status, Reason) != (other.Drift, other.TakenBack, other.Unbilled, other.Status, other.Reason)
            || Suggestion != other.Suggestion || !Foreign.SequenceEqual(other.Foreign) || !Applied.SequenceEqual(other.Applied);
    }
}
