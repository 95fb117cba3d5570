using StripeMeter.Gateway.Requests;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Reconciliation;

/// <summary>Which tenant to compare.</summary>
/// <param name="TenantId">The tenant.</param>
/// <param name="Full">Read every period, also those that have not moved since they agreed.</param>
public sealed record ReconciliationRequest(string TenantId, bool? Full);

/// <summary>A comparison that was asked for.</summary>
/// <param name="Message">For people.</param>
/// <param name="JobId">Under which <c>GET /v1/reconciliation/runs/{jobId}</c> tells how it stands.</param>
public sealed record ReconciliationStarted(string Message, string JobId);

/// <summary>How a comparison stands.</summary>
/// <param name="JobId">Its id.</param>
/// <param name="State">pending, running, completed or failed.</param>
/// <param name="Full">Whether it reads every period.</param>
/// <param name="CreatedAt">When it was asked for.</param>
/// <param name="StartedAt">When it was begun.</param>
/// <param name="EndedAt">When it was over.</param>
/// <param name="Ok">Periods that stand well.</param>
/// <param name="Investigating">Periods that do not.</param>
/// <param name="Resolved">Periods that stand well again.</param>
/// <param name="NotRead">Of all these, periods that had not moved and were not read.</param>
/// <param name="Unreadable">Periods that could not be read now; they are first the next time.</param>
/// <param name="Problem">Why it failed.</param>
public sealed record ReconciliationProgress(
    string JobId, string State, bool Full, string? CreatedAt, string? StartedAt, string? EndedAt, int Ok, int Investigating, int Resolved,
    int NotRead, int Unreadable, string? Problem)
{
    internal static ReconciliationProgress Of(ReconciliationRun run) => new(
        run.Id, run.State.ToString().ToLowerInvariant(), run.Full, RestTime.Write(run.CreateTime), RestTime.Write(run.StartTime),
        RestTime.Write(run.EndTime), run.OkCount, run.InvestigateCount, run.ResolvedCount, run.NotReadCount, run.UnreadableCount,
        run.Problem.OrNull());
}

/// <summary>The reports of a month.</summary>
/// <param name="Period">The month.</param>
/// <param name="Reports">One for each billing period of a Stripe customer on a meter.</param>
/// <param name="SuggestedAdjustments">What would put those right that do not come right by themselves.</param>
/// <param name="Summary">Over all reports of the month.</param>
/// <param name="NextCursor">Where the next page begins. Absent on the last.</param>
public sealed record ReportPage(
    string Period, IReadOnlyList<ReportAnswer> Reports, IReadOnlyList<SuggestionAnswer> SuggestedAdjustments, ReportCounts Summary,
    string? NextCursor);

/// <summary>How many reports there are of each kind.</summary>
/// <param name="Total">All.</param>
/// <param name="Ok">Those that stand well.</param>
/// <param name="Investigating">Those that do not.</param>
/// <param name="Resolved">Those that stand well again.</param>
/// <param name="MaxDiff">The greatest difference.</param>
public sealed record ReportCounts(int Total, int Ok, int Investigating, int Resolved, ExactNumber MaxDiff);

/// <summary>How a billing period of a Stripe customer on a meter stands.</summary>
/// <param name="Id">For its history.</param>
/// <param name="TenantId">The tenant.</param>
/// <param name="SubscriptionItemId">Meter and Stripe customer.</param>
/// <param name="StripeAccount">acct_…</param>
/// <param name="Livemode">False for Stripe's test mode and for the double.</param>
/// <param name="Shadow">Of a test account that is told what is billed elsewhere: in no sum, and nothing is adjusted for it.</param>
/// <param name="MeterId">mtr_…</param>
/// <param name="StripeCustomer">The Stripe customer.</param>
/// <param name="Metrics">Metrics that feed the meter.</param>
/// <param name="CustomerRefs">Customers that feed it.</param>
/// <param name="PeriodStart">Start of the billing period, inclusive.</param>
/// <param name="PeriodEnd">Its end, exclusive.</param>
/// <param name="LocalTotal">What Stripe should have: ledger, plus carried in, less carried out, plus taken back.</param>
/// <param name="StripeTotal">What its summaries hold.</param>
/// <param name="InFlight">Of the local total, what is still on its way. It is no difference.</param>
/// <param name="Diff">The magnitude of the difference that is left.</param>
/// <param name="DiffPct">The same as a part of what Stripe has.</param>
/// <param name="Drift">The difference with its sign: above zero, Stripe has more.</param>
/// <param name="Ledger">What the ledger counts.</param>
/// <param name="CarriedIn">Brought here from periods that could no longer be billed.</param>
/// <param name="CarriedOut">Brought from here into a later period.</param>
/// <param name="TakenBack">What others told and adjustments have taken back.</param>
/// <param name="Unbilled">What can be billed nowhere any more.</param>
/// <param name="Status">ok, investigate or resolved.</param>
/// <param name="Reason">summaries_lag, looked_for, foreign_writer, unbilled, told_again or unexplained; absent when nothing differs.</param>
/// <param name="Foreign">Minutes in which somebody else wrote to the meter.</param>
/// <param name="CreatedAt">When it was compared last.</param>
public sealed record ReportAnswer(
    string Id, string TenantId, string SubscriptionItemId, string StripeAccount, bool Livemode, bool? Shadow, string MeterId, string StripeCustomer,
    IReadOnlyList<string> Metrics, IReadOnlyList<string> CustomerRefs, string? PeriodStart, string? PeriodEnd, ExactNumber LocalTotal,
    ExactNumber StripeTotal, ExactNumber InFlight, ExactNumber Diff, ExactNumber DiffPct, ExactNumber Drift, ExactNumber Ledger,
    ExactNumber CarriedIn, ExactNumber CarriedOut, ExactNumber TakenBack, ExactNumber Unbilled, string Status, string? Reason,
    IReadOnlyList<ForeignAnswer> Foreign, string? CreatedAt)
{
    internal static ReportAnswer Of(ReconciliationReport report) => new(
        report.Id, report.TenantId, ReconciliationWords.ItemOf(report), report.StripeAccount, report.Livemode, report.Shadow ? true : null, report.MeterId, report.StripeCustomer,
        report.Metrics, report.CustomerRefs, RestTime.Write(report.PeriodStart), RestTime.Write(report.PeriodEnd), new(report.ExpectedTotal),
        new(report.StripeTotal), new(report.InFlight), new(ReconciliationWords.Magnitude(report.Drift)), new(report.DriftFraction), new(report.Drift),
        new(report.LedgerTotal), new(report.CarriedIn), new(report.CarriedOut), new(report.TakenBack), new(report.Unbilled),
        ReconciliationWords.Of(report.Status), ReconciliationWords.Of(report.Reason),
        [.. report.Foreign.Select(usage => new ForeignAnswer(RestTime.Write(usage.Minute), new(usage.Value)))], RestTime.Write(report.CheckTime));
}

/// <summary>What somebody else told a meter.</summary>
/// <param name="Minute">The minute; where it could not be narrowed down, the start of the stretch.</param>
/// <param name="Value">How much more the meter holds than was told.</param>
public sealed record ForeignAnswer(string? Minute, ExactNumber Value);

/// <summary>A correction that would make Stripe's total right again.</summary>
/// <param name="Id">To be applied by <c>POST /v1/reconciliation/adjustments</c>.</param>
/// <param name="SubscriptionItemId">Meter and Stripe customer.</param>
/// <param name="Metric">The metric.</param>
/// <param name="CustomerRef">The customer.</param>
/// <param name="PeriodStart">Start of the billing period.</param>
/// <param name="Delta">What the counter's sum would change by.</param>
/// <param name="Reason">Always correction.</param>
/// <param name="Status">Always pending.</param>
public sealed record SuggestionAnswer(
    string Id, string SubscriptionItemId, string Metric, string CustomerRef, string? PeriodStart, ExactNumber Delta, string Reason, string Status)
{
    internal static SuggestionAnswer Of(ReconciliationReport report) => new(
        report.Suggestion.Id, ReconciliationWords.ItemOf(report), report.Suggestion.Metric, report.Suggestion.CustomerRef,
        RestTime.Write(report.PeriodStart), new(report.Suggestion.Delta), "correction", "pending");
}

/// <summary>Sums over months, by metric.</summary>
/// <param name="PeriodStart">The first month.</param>
/// <param name="PeriodEnd">The last month.</param>
/// <param name="PerMetric">By metric.</param>
/// <param name="Overall">Over all.</param>
public sealed record ReconciliationSummary(string PeriodStart, string PeriodEnd, IReadOnlyList<MetricSum> PerMetric, OverallSum Overall);

/// <summary>Sums of one metric.</summary>
/// <param name="Metric">The metric.</param>
/// <param name="Local">What Stripe should have.</param>
/// <param name="Stripe">What it has.</param>
/// <param name="InFlight">Of local, what is on its way. It is no drift.</param>
/// <param name="DriftAbs">Sum of the magnitudes of what differs.</param>
/// <param name="DriftPct">The same as a part of what Stripe has.</param>
/// <param name="Items">Stripe customers on meters.</param>
public sealed record MetricSum(
    string Metric, ExactNumber Local, ExactNumber Stripe, ExactNumber InFlight,
    [property: System.Text.Json.Serialization.JsonPropertyName("drift_abs")] ExactNumber DriftAbs,
    [property: System.Text.Json.Serialization.JsonPropertyName("drift_pct")] ExactNumber DriftPct, int Items)
{
    internal static MetricSum Of(ReconciliationSum sum) => new(
        sum.Metric, new(sum.ExpectedTotal), new(sum.StripeTotal), new(sum.InFlight), new(sum.DriftAbs), new(sum.DriftFraction), sum.ItemCount);
}

/// <summary>Sums over all metrics.</summary>
/// <param name="Local">What Stripe should have.</param>
/// <param name="Stripe">What it has.</param>
/// <param name="InFlight">Of local, what is on its way.</param>
/// <param name="DriftAbs">Sum of the magnitudes of what differs.</param>
/// <param name="DriftPct">The same as a part of what Stripe has.</param>
/// <param name="Metrics">How many metrics.</param>
/// <param name="Items">How many Stripe customers on meters.</param>
public sealed record OverallSum(
    ExactNumber Local, ExactNumber Stripe, ExactNumber InFlight,
    [property: System.Text.Json.Serialization.JsonPropertyName("drift_abs")] ExactNumber DriftAbs,
    [property: System.Text.Json.Serialization.JsonPropertyName("drift_pct")] ExactNumber DriftPct, int Metrics, int Items);

/// <summary>How one metric or customer stands in a month.</summary>
/// <param name="TenantId">The tenant.</param>
/// <param name="Metric">The metric; absent: all.</param>
/// <param name="CustomerRef">The customer; absent: all.</param>
/// <param name="Period">The month.</param>
/// <param name="Status">parity, drift_detected, drift_critical (more than 5 %), or reconciliation_needed (never compared).</param>
/// <param name="Counters">What is compared.</param>
public sealed record ParitySummary(string TenantId, string? Metric, string? CustomerRef, string Period, string Status, ParityCounters Counters);

/// <summary>What is compared.</summary>
/// <param name="Before">As it stood before the reports last changed; absent if they never did.</param>
/// <param name="After">As it stands.</param>
public sealed record ParityCounters(ParityState? Before, ParityState After);

/// <summary>How it stood once.</summary>
/// <param name="Local">What Stripe should have.</param>
/// <param name="Stripe">What it has.</param>
/// <param name="Drift">Sum of the magnitudes of what differs.</param>
public sealed record ParityState(ExactNumber Local, ExactNumber Stripe, ExactNumber Drift);

/// <summary>Which suggestions to apply.</summary>
/// <param name="TenantId">The tenant.</param>
/// <param name="AdjustmentIds">Ids of suggestions, or of pending adjustments; at most 1,000.</param>
/// <param name="Reason">Kept as the note of the adjustments.</param>
public sealed record ApplyRequest(string TenantId, IReadOnlyList<string> AdjustmentIds, string? Reason);

/// <summary>What became of them.</summary>
/// <param name="Applied">How many are applied, those that were before too.</param>
/// <param name="Failed">How many are not.</param>
/// <param name="Results">Each, in the order of the ids.</param>
public sealed record ApplyAnswer(int Applied, int Failed, IReadOnlyList<ApplyResult> Results);

/// <summary>What became of one.</summary>
/// <param name="Id">The id.</param>
/// <param name="Applied">Whether it is applied.</param>
/// <param name="AdjustmentId">The adjustment it is now.</param>
/// <param name="Error">Why it is not.</param>
public sealed record ApplyResult(string Id, bool Applied, string? AdjustmentId, string? Error)
{
    internal static ApplyResult Of(AppliedSuggestion result) => new(
        result.Id, result.Applied, result.AdjustmentId.OrNull(), result.Problem.OrNull());
}
