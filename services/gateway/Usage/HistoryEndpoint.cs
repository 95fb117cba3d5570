using StripeMeter.Defaults.Wire;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Time;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Usage;

/// <summary>
/// <c>GET /v1/usage/history</c>, in two forms: <c>periodStart</c>, <c>periodEnd</c> (inclusive) and <c>step</c> answer
/// <c>usage</c>; <c>since</c>, <c>until</c> (exclusive) and <c>interval</c> answer <c>series</c> and <c>totals</c>.
/// </summary>
internal static class HistoryEndpoint
{
    private static readonly MomentParameter PeriodStart = new("periodStart", "From this instant on; with `periodEnd`.");
    private static readonly MomentParameter PeriodEnd = new("periodEnd", "Up to this instant, inclusive; with `periodStart`.");
    private static readonly MomentParameter Since = new("since", "The other form: from this instant on; with `until`.");
    private static readonly MomentParameter Until = new("until", "The other form: up to this instant, exclusive. Default: now.");

    private static readonly ChoiceParameter<HistoryStep> Step = new(
        "step", "Length of the buckets, which start with the days and months of UTC.",
        [("day", HistoryStep.Day), ("month", HistoryStep.Month)])
    {
        Default = HistoryStep.Month,
        DefaultWord = "month",
    };

    private static readonly ChoiceParameter<HistoryStep> Interval = new(
        "interval", "The other form: length of the buckets.",
        [("minute", HistoryStep.Minute), ("hour", HistoryStep.Hour), ("day", HistoryStep.Day)])
    {
        Default = HistoryStep.Day,
        DefaultWord = "day",
    };

    public static readonly QueryParameter[] Parameters =
    [
        CommonParameters.Tenant, CommonParameters.RequiredCustomer, CommonParameters.RequiredMetric,
        PeriodStart, PeriodEnd, Step, Since, Until, Interval,
    ];

    public static async Task<UsageHistory> HandleAsync(
        HttpContext context, UsageService.UsageServiceClient usages, ActiveMappings mappings, TimeProvider clock)
    {
        var bySeries = context.Request.Query.ContainsKey(Since.Name);
        var request = Read(context, bySeries, Instant.Of(clock.GetUtcNow()));
        var mapped = mappings.OfMetricAsync(request.TenantId, request.Metric, context.RequestAborted);
        var history = await usages.GetUsageHistoryAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        var aggregation = await mapped.ConfigureAwait(false);
        return bySeries
            ? new UsageHistory(null, [.. history.Buckets.Select(bucket => ToSeries(bucket, aggregation))], Total(history, aggregation))
            : new UsageHistory([.. history.Buckets.Select(bucket => ToPoint(bucket, aggregation))], null, null);
    }

    private static GetUsageHistoryRequest Read(HttpContext context, bool bySeries, Instant now)
    {
        var query = new QueryReader(context);
        var request = new GetUsageHistoryRequest
        {
            TenantId = query.Text(CommonParameters.Tenant),
            CustomerRef = query.Text(CommonParameters.RequiredCustomer),
            Metric = query.Text(CommonParameters.RequiredMetric),
            Step = bySeries ? query.Read(Interval) : query.Read(Step),
        };
        var (startParameter, endParameter) = bySeries ? (Since, Until) : (PeriodStart, PeriodEnd);
        var start = query.Read(startParameter with { Required = true });
        var end = query.Read(endParameter with { Required = !bySeries }) ?? now;
        if (start > end)
            query.Add(endParameter.Name, $"must not be before {startParameter.Name}");
        query.Check();

        request.StartTime = start!.Value.ToTimestamp();
        var before = bySeries || end == Instant.Maximum ? end : new Instant(end.Ticks + 1);
        request.EndTime = before.ToTimestamp();
        return request;
    }

    private static UsagePoint ToPoint(UsageBucket bucket, Aggregation aggregation) =>
        new(RestTime.Write(bucket.StartTime)!, Aggregates.Of(bucket, aggregation));

    private static SeriesPoint ToSeries(UsageBucket bucket, Aggregation aggregation) => new(
        RestTime.Write(bucket.StartTime)!, Aggregates.Of(bucket, aggregation), new ExactNumber(bucket.Sum), bucket.Count,
        ExactNumber.OfText(bucket.Min), ExactNumber.OfText(bucket.Max), ExactNumber.OfText(bucket.Last));

    private static UsageTotals Total(GetUsageHistoryResponse history, Aggregation aggregation)
    {
        if (history.Buckets.Count == 0)
            return new UsageTotals(new ExactNumber("0"), new ExactNumber("0"), 0, null, null, null);
        var sum = Quantity.Zero;
        var count = 0L;
        var min = Quantity.Parse(history.Buckets[0].Min);
        var max = Quantity.Parse(history.Buckets[0].Max);
        foreach (var bucket in history.Buckets)
        {
            sum += Quantity.Parse(bucket.Sum);
            count += bucket.Count;
            min = Quantity.Min(min, Quantity.Parse(bucket.Min));
            max = Quantity.Max(max, Quantity.Parse(bucket.Max));
        }

        var (minText, maxText, last) = (min.ToString(), max.ToString(), history.Buckets[^1].Last);
        return new UsageTotals(
            Aggregates.Pick(aggregation, sum.ToString(), count, minText, maxText, last), new ExactNumber(sum.ToString()), count,
            new ExactNumber(minText), new ExactNumber(maxText), ExactNumber.OfText(last));
    }
}
