using StripeMeter.Kits.Simulated.Billing;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Reconciling;

namespace StripeMeter.Simulation.Stripe;

/// <summary>
/// What a run is made of besides the protocols. The true one changes nothing; a broken one takes away a rule, and shows
/// that the simulation sees it.
/// </summary>
public sealed record StripeVariant
{
    public static StripeVariant True { get; } = new();

    /// <summary>By what intents are settled.</summary>
    public Func<PushRules, Settling> Settling { get; init; } = rules => new Settling(rules);

    /// <summary>Changes a limit.</summary>
    public Func<PushRules, PushRules> Rules { get; init; } = rules => rules;

    /// <summary>The way to an account that pushers take.</summary>
    public Func<AccountConnection, IDeltaLedger, IMeterEventSink> Way { get; init; } = (connection, _) => connection;

    /// <summary>The delta ledger as pushers and raisers have it.</summary>
    public Func<IDeltaLedger, IDeltaLedger> Deltas { get; init; } = deltas => deltas;

    /// <summary>What comparing a period's total changes by itself: nothing.</summary>
    public Func<DeltaDocument, PeriodFinding, DeltaDocument> Compared { get; init; } = (document, _) => document;

    /// <summary>Whether totals are compared, and what they raise doubts about is looked for.</summary>
    public bool Audits { get; init; } = true;

    /// <summary>Whether error reports are entered.</summary>
    public bool HearsReports { get; init; } = true;
}
