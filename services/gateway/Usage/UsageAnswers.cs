using System.Globalization;
using StripeMeter.Gateway.Requests;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Usage;

/// <summary>What a customer used in the billing period under way.</summary>
/// <param name="CustomerRef">The customer.</param>
/// <param name="Period">The billing period.</param>
/// <param name="Metrics">One entry per counted metric, in the order of their names.</param>
/// <param name="Alerts">Alerts that are raised for the customer.</param>
public sealed record CurrentUsage(
    string CustomerRef, UsagePeriod Period, IReadOnlyList<MetricUsage> Metrics, IReadOnlyList<UsageAlert> Alerts);

/// <summary>A billing period.</summary>
/// <param name="Start">Its first day.</param>
/// <param name="End">Its last day.</param>
/// <param name="StartTime">Inclusive.</param>
/// <param name="EndTime">Exclusive.</param>
public sealed record UsagePeriod(string Start, string End, string StartTime, string EndTime);

/// <summary>Usage of one metric.</summary>
/// <param name="Name">The metric.</param>
/// <param name="Current">The aggregate that the metric's active mapping bills; the sum if there is none.</param>
/// <param name="Aggregation">Which aggregate <c>current</c> is.</param>
/// <param name="Unit">What is counted: as <c>METRIC_UNITS</c> says, else the metric's name.</param>
/// <param name="Sum">Sum of the quantities.</param>
/// <param name="Count">Number of events.</param>
/// <param name="Min">Smallest quantity.</param>
/// <param name="Max">Greatest quantity.</param>
/// <param name="Last">Quantity of the newest event.</param>
/// <param name="Watermark">Timestamp of the newest event counted.</param>
/// <param name="Limit">The usage allowed in the period, as <c>USAGE_LIMITS</c> says. Absent: there is no limit. Usage beyond it is counted and billed all the same.</param>
public sealed record MetricUsage(
    string Name, ExactNumber? Current, string Aggregation, string Unit, ExactNumber Sum, long Count, ExactNumber? Min,
    ExactNumber? Max, ExactNumber? Last, string? Watermark, ExactNumber? Limit);

/// <summary>An alert that is raised.</summary>
/// <param name="Type">limit_near (from three quarters on), limit_reached, late_events (they wait for approval), or push_parked (Stripe cannot be told; not shown to customers).</param>
/// <param name="Message">What happened.</param>
/// <param name="Severity">info, warn or critical.</param>
public sealed record UsageAlert(string Type, string Message, string Severity);

/// <summary>Usage over time: <c>usage</c> for a question by period, <c>series</c> and <c>totals</c> for one by interval.</summary>
/// <param name="Usage">Buckets in which something was counted, oldest first.</param>
/// <param name="Series">The same, with every aggregate.</param>
/// <param name="Totals">Over all buckets.</param>
public sealed record UsageHistory(
    IReadOnlyList<UsagePoint>? Usage, IReadOnlyList<SeriesPoint>? Series, UsageTotals? Totals);

/// <summary>Usage in one bucket.</summary>
/// <param name="Ts">Start of the bucket.</param>
/// <param name="Value">The aggregate that the metric's active mapping bills; the sum if there is none.</param>
public sealed record UsagePoint(string Ts, ExactNumber? Value);

/// <summary>Usage in one bucket, with every aggregate.</summary>
public sealed record SeriesPoint(
    string Ts, ExactNumber? Value, ExactNumber Sum, long Count, ExactNumber? Min, ExactNumber? Max, ExactNumber? Last);

/// <summary>Usage over all buckets of a history.</summary>
/// <param name="Value">The aggregate that the metric's active mapping bills; the sum if there is none.</param>
/// <param name="Sum">Sum of the quantities.</param>
/// <param name="Count">Number of events.</param>
/// <param name="Min">Smallest quantity.</param>
/// <param name="Max">Greatest quantity.</param>
/// <param name="Last">Quantity of the newest event.</param>
public sealed record UsageTotals(
    ExactNumber? Value, ExactNumber Sum, long Count, ExactNumber? Min, ExactNumber? Max, ExactNumber? Last);

/// <summary>Picks an aggregate and names it.</summary>
internal static class Aggregates
{
    public static ExactNumber? Of(Counter counter, Aggregation aggregation) =>
        Pick(aggregation, counter.Sum, counter.Count, counter.Min, counter.Max, counter.Last);

    public static ExactNumber? Of(UsageBucket bucket, Aggregation aggregation) =>
        Pick(aggregation, bucket.Sum, bucket.Count, bucket.Min, bucket.Max, bucket.Last);

    public static ExactNumber? Pick(Aggregation aggregation, string sum, long count, string min, string max, string last) =>
        ExactNumber.OfText(aggregation switch
        {
            Aggregation.Count => count.ToString(CultureInfo.InvariantCulture),
            Aggregation.Max => max,
            Aggregation.Min => min,
            Aggregation.Last => last,
            _ => sum,
        });
}
