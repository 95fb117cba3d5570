using System.Text.Json;
using StripeMeter.Gateway.Requests;

namespace StripeMeter.Gateway.Simulations;

/// <summary>Usage and prices whose invoice is asked for, as docs/simulator-getting-started.md writes them.</summary>
/// <param name="TenantId">The tenant.</param>
/// <param name="Inputs">customerId, periodStart, periodEnd, usageItems; discounts, commitments, credits, taxRate.</param>
/// <param name="Rounding">stripe (the default) or classic.</param>
/// <param name="SplitCurrencies">One invoice for each currency. Unless true, items in several currencies are refused.</param>
public sealed record InvoiceRequest(string TenantId, JsonElement Inputs, string? Rounding, bool? SplitCurrencies);

/// <summary>Simulated invoices.</summary>
/// <param name="Invoices">One, or one for each currency.</param>
public sealed record InvoiceList(IReadOnlyList<InvoiceAnswer> Invoices);

/// <summary>An invoice as Stripe would write it. Amounts are minor units of the currency, such as cents.</summary>
/// <param name="CustomerId">The customer.</param>
/// <param name="PeriodStart">Start of the period, inclusive.</param>
/// <param name="PeriodEnd">Its end, exclusive.</param>
/// <param name="Currency">ISO 4217, lower case.</param>
/// <param name="Rounding">stripe or classic.</param>
/// <param name="LineItems">What was bought.</param>
/// <param name="Subtotal">Sum of the lines.</param>
/// <param name="Steps">What leads from the subtotal to the total, in this order.</param>
/// <param name="Discounts">What discounts took.</param>
/// <param name="Credits">What credits and prepaid commitments took.</param>
/// <param name="Tax">Tax.</param>
/// <param name="Total">What is to be paid.</param>
/// <param name="Notes">What is not certain of the figures.</param>
public sealed record InvoiceAnswer(
    string CustomerId, string? PeriodStart, string? PeriodEnd, string Currency, string Rounding, IReadOnlyList<InvoiceLineAnswer> LineItems,
    long Subtotal, IReadOnlyList<InvoiceStepAnswer> Steps, long Discounts, long Credits, long Tax, long Total, IReadOnlyList<string> Notes);

/// <summary>A line of a simulated invoice.</summary>
/// <param name="Metric">The metric, or what the fee is called.</param>
/// <param name="Quantity">What was used.</param>
/// <param name="Subtotal">Minor units.</param>
/// <param name="Parts">They add up to the subtotal.</param>
public sealed record InvoiceLineAnswer(string Metric, ExactNumber Quantity, long Subtotal, IReadOnlyList<InvoicePartAnswer> Parts);

/// <summary>A part of a line. On Stripe's invoices each is a line of its own.</summary>
/// <param name="Kind">units, packages, flat, included, minimum, maximum or rounding.</param>
/// <param name="Tier">From 1; absent where there are no tiers.</param>
/// <param name="Quantity">How many.</param>
/// <param name="UnitAmount">Minor units for each, unrounded.</param>
/// <param name="Amount">Minor units.</param>
/// <param name="Explanation">How the amount comes about.</param>
public sealed record InvoicePartAnswer(
    string Kind, int? Tier, ExactNumber Quantity, ExactNumber UnitAmount, long Amount, string Explanation);

/// <summary>A step between subtotal and total.</summary>
/// <param name="Kind">discount, commitment, trueup, credit or tax.</param>
/// <param name="Name">The discount, commitment or credit; the rate of a tax.</param>
/// <param name="Amount">Minor units; negative when it takes away.</param>
/// <param name="Explanation">How the amount comes about.</param>
public sealed record InvoiceStepAnswer(string Kind, string Name, long Amount, string Explanation);

/// <summary>A scenario to be kept, or changed: when changing, members that are sent replace those that are there.</summary>
/// <param name="TenantId">The tenant.</param>
/// <param name="Name">1 to 255 characters. Required to make a scenario.</param>
/// <param name="Description">For people.</param>
/// <param name="Version">1 unless said otherwise.</param>
/// <param name="Tags">To find it by.</param>
/// <param name="Model">Anything; it is kept, and not computed with.</param>
/// <param name="Inputs">customerId, periodStart, periodEnd, usageItems; discounts, commitments, credits, taxRate. Required to make a scenario.</param>
/// <param name="Expected">What the invoice must say: total; subtotal, discounts, credits, tax, currency, lineItems.</param>
/// <param name="Tolerances">absolute and relative.</param>
/// <param name="Rounding">stripe (the default) or classic.</param>
/// <param name="Active">When changing: true brings a deleted scenario back.</param>
public sealed record ScenarioRequest(
    string TenantId, string? Name, string? Description, string? Version, IReadOnlyList<string>? Tags, JsonElement? Model, JsonElement? Inputs,
    JsonElement? Expected, JsonElement? Tolerances, string? Rounding, bool? Active);

/// <summary>A scenario was kept.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Its name.</param>
/// <param name="CreatedAt">When.</param>
public sealed record ScenarioCreated(string Id, string Name, string? CreatedAt);

/// <summary>A scenario was changed.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Its name.</param>
/// <param name="UpdatedAt">When.</param>
public sealed record ScenarioUpdated(string Id, string Name, string? UpdatedAt);

/// <summary>A kept scenario.</summary>
/// <param name="Id">Given by the server.</param>
/// <param name="TenantId">The tenant.</param>
/// <param name="Name">Its name.</param>
/// <param name="Description">For people.</param>
/// <param name="Version">Its version.</param>
/// <param name="Tags">To find it by.</param>
/// <param name="Active">False once it is deleted.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="UpdatedAt">When it was changed last.</param>
/// <param name="Model">As it was sent. Absent in a listing, as all below.</param>
/// <param name="Inputs">As they were sent.</param>
/// <param name="Expected">As it was sent.</param>
/// <param name="Tolerances">As they were sent.</param>
/// <param name="Rounding">As it was sent.</param>
public sealed record ScenarioAnswer(
    string Id, string TenantId, string Name, string Description, string Version, IReadOnlyList<string> Tags, bool Active, string? CreatedAt,
    string? UpdatedAt, JsonElement? Model, JsonElement? Inputs, JsonElement? Expected, JsonElement? Tolerances, string? Rounding);

/// <summary>A page of scenarios.</summary>
/// <param name="Scenarios">Without what they compute.</param>
/// <param name="Total">All that match.</param>
/// <param name="Limit">Most of one page.</param>
/// <param name="Offset">Passed over.</param>
/// <param name="NextCursor">Where the next page begins. Absent on the last.</param>
public sealed record ScenarioPage(IReadOnlyList<ScenarioAnswer> Scenarios, int Total, int Limit, int Offset, string? NextCursor);

/// <summary>A run to be started.</summary>
/// <param name="TenantId">The tenant.</param>
/// <param name="ScenarioId">A kept scenario; or</param>
/// <param name="Scenario">a scenario of its own.</param>
/// <param name="Name">Default: that of the scenario.</param>
/// <param name="Description">For people.</param>
/// <param name="Metadata">What the caller wants to find again; an object.</param>
/// <param name="RunType">manual (the default), scheduled or ci.</param>
public sealed record RunRequest(
    string TenantId, string? ScenarioId, JsonElement? Scenario, string? Name, string? Description, JsonElement? Metadata, string? RunType);

/// <summary>A run was started.</summary>
/// <param name="RunId">To ask what came of it.</param>
/// <param name="Status">pending.</param>
/// <param name="Message">For people.</param>
public sealed record RunStarted(string RunId, string Status, string Message);

/// <summary>A run of a scenario.</summary>
/// <param name="Id">Given by the server.</param>
/// <param name="TenantId">The tenant.</param>
/// <param name="ScenarioId">The kept scenario. Absent when it was sent along.</param>
/// <param name="Name">Its name.</param>
/// <param name="Description">For people.</param>
/// <param name="Metadata">As it was sent.</param>
/// <param name="RunType">manual, scheduled or ci.</param>
/// <param name="Status">pending, running, completed or failed.</param>
/// <param name="Result">The invoice. Absent until it is completed.</param>
/// <param name="Comparison">How it differs from what was expected. Absent until it is completed, and when nothing was expected.</param>
/// <param name="Passed">Whether it is as expected. Absent when nothing was.</param>
/// <param name="Error">Why it failed.</param>
/// <param name="DurationMs">Milliseconds from start to end. Absent until the end.</param>
/// <param name="CreatedAt">When it was asked for.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="CompletedAt">When it ended.</param>
public sealed record RunAnswer(
    string Id, string TenantId, string? ScenarioId, string Name, string Description, JsonElement? Metadata, string RunType, string Status,
    InvoiceAnswer? Result, RunComparison? Comparison, bool? Passed, RunError? Error, long? DurationMs, string? CreatedAt, string? StartedAt,
    string? CompletedAt);

/// <summary>How an invoice differs from what was expected.</summary>
/// <param name="Passed">Whether it does not.</param>
/// <param name="Differences">Where it does.</param>
public sealed record RunComparison(bool Passed, IReadOnlyList<RunDifference> Differences);

/// <summary>Something that is not as expected.</summary>
/// <param name="Field">Such as total, or lineItem.calls.subtotal.</param>
/// <param name="Expected">What the scenario says.</param>
/// <param name="Actual">What came out.</param>
/// <param name="Difference">By how much. Absent for what is no number.</param>
public sealed record RunDifference(string Field, string Expected, string Actual, ExactNumber? Difference);

/// <summary>Why a run failed.</summary>
/// <param name="Message">All of it in a sentence.</param>
/// <param name="Details">The fields.</param>
public sealed record RunError(string Message, IReadOnlyList<RunErrorDetail> Details);

/// <summary>A field that cannot be computed with.</summary>
/// <param name="Field">Its path.</param>
/// <param name="Reason">Why.</param>
public sealed record RunErrorDetail(string Field, string Reason);

/// <summary>A page of runs, newest first.</summary>
/// <param name="Runs">The runs.</param>
/// <param name="Total">All that match.</param>
/// <param name="Limit">Most of one page.</param>
/// <param name="Offset">Passed over.</param>
/// <param name="NextCursor">Where the next page begins. Absent on the last.</param>
public sealed record RunPage(IReadOnlyList<RunAnswer> Runs, int Total, int Limit, int Offset, string? NextCursor);

/// <summary>Scenarios to be computed.</summary>
/// <param name="TenantId">The tenant.</param>
/// <param name="Name">1 to 255 characters.</param>
/// <param name="Description">For people.</param>
/// <param name="ScenarioIds">Kept, active scenarios: 1 to 100.</param>
public sealed record BatchRequest(string TenantId, string Name, string? Description, IReadOnlyList<string> ScenarioIds);

/// <summary>A batch was started.</summary>
/// <param name="BatchId">To ask what came of it.</param>
/// <param name="TotalRuns">Its runs, one a scenario.</param>
/// <param name="Message">For people.</param>
public sealed record BatchStarted(string BatchId, int TotalRuns, string Message);

/// <summary>Runs that were started together.</summary>
/// <param name="Id">Given by the server.</param>
/// <param name="TenantId">The tenant.</param>
/// <param name="Name">Its name.</param>
/// <param name="Description">For people.</param>
/// <param name="ScenarioIds">What it computes.</param>
/// <param name="Status">running until the last run is at its end; then completed or failed if all are, else partial.</param>
/// <param name="Summary">How many runs have come how far.</param>
/// <param name="Runs">In the order of the scenarios, without those that were dropped as too old.</param>
/// <param name="CreatedAt">When it was asked for.</param>
/// <param name="CompletedAt">When the last run that is kept ended. Absent until then.</param>
public sealed record BatchAnswer(
    string Id, string TenantId, string Name, string Description, IReadOnlyList<string> ScenarioIds, string Status, BatchSummary Summary,
    IReadOnlyList<BatchRun> Runs, string? CreatedAt, string? CompletedAt);

/// <summary>How far runs have come.</summary>
/// <param name="TotalRuns">All of them.</param>
/// <param name="Completed">Computed, whether or not as expected.</param>
/// <param name="Failed">Could not be computed.</param>
/// <param name="Pending">Wait.</param>
/// <param name="Running">Are being computed.</param>
/// <param name="Dropped">Are no longer kept, so that nothing is known of them.</param>
/// <param name="SuccessRate">How many of those that are kept were computed, in percent. Absent when none is.</param>
public sealed record BatchSummary(int TotalRuns, int Completed, int Failed, int Pending, int Running, int Dropped, decimal? SuccessRate);

/// <summary>A run of a batch.</summary>
/// <param name="Id">To ask for all of it.</param>
/// <param name="Status">pending, running, completed or failed.</param>
/// <param name="ScenarioId">What it computes.</param>
/// <param name="Passed">Whether it is as expected. Absent when nothing was.</param>
/// <param name="Error">Why it failed.</param>
public sealed record BatchRun(string Id, string Status, string ScenarioId, bool? Passed, RunError? Error);
