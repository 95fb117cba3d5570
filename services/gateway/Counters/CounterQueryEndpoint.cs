using StripeMeter.Defaults.Wire;
using StripeMeter.Gateway.Requests;
using StripeMeter.Gateway.Usage;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Counters;

/// <summary>Usage in windows of time.</summary>
/// <param name="Windows">Windows in which something was counted, in the order of their start and group.</param>
/// <param name="NextCursor">Where the next page begins. Absent on the last.</param>
public sealed record CounterWindowPage(IReadOnlyList<CounterWindowAnswer> Windows, string? NextCursor);

/// <summary>Usage of one group in one window.</summary>
/// <param name="Start">Where the window begins; without windows, where the question does.</param>
/// <param name="Group">The customer, resource or meta value. Absent where nothing is grouped, and for events without one.</param>
/// <param name="Value">The aggregate that was asked for.</param>
/// <param name="Sum">Sum of the quantities.</param>
/// <param name="Count">Number of events.</param>
/// <param name="Min">Smallest quantity.</param>
/// <param name="Max">Greatest quantity.</param>
/// <param name="Last">Quantity of the newest event.</param>
public sealed record CounterWindowAnswer(
    string? Start, string? Group, ExactNumber? Value, ExactNumber Sum, long Count, ExactNumber Min, ExactNumber Max, ExactNumber Last);

/// <summary><c>GET /v1/counters/query</c>.</summary>
internal static class CounterQueryEndpoint
{
    private const string MetaPrefix = "meta.";
    private const int MemberLength = 100;
    private static readonly MomentParameter Since = new("since", "From this instant on.") { Required = true };
    private static readonly MomentParameter Until = new("until", "Up to this instant, exclusive. Default: now.");
    private static readonly TextParameter TimeZone =
        new("timeZone", "IANA time zone in which hours, days, weeks and months begin. Default: UTC.", 100);

    private static readonly TextParameter GroupBy = new(
        "groupBy", "`customerRef`, `resourceId`, or `meta.` and a member of the events' meta objects.", MetaPrefix.Length + MemberLength);

    private static readonly TextParameter Resource = new("resourceId", "Only this resource.", 255);
    private static readonly TextParameter MetaKey = new("metaKey", "Only events whose meta object has this member; with `metaValue`.", MemberLength);
    private static readonly TextParameter MetaValue = new("metaValue", "The member's value: a string as it is, anything else as JSON.", 1_000);
    private static readonly IntegerParameter Top = new("top", "Only the groups with the greatest usage over the whole time; 0: all.", 0, 1_000);
    private static readonly IntegerParameter Limit = CommonParameters.Limit(1_000, 100);

    private static readonly ChoiceParameter<CounterWindow> Window = new(
        "window", "Length of the windows; weeks begin on Monday. Default: the whole time is one.",
        [("minute", CounterWindow.Minute), ("hour", CounterWindow.Hour), ("day", CounterWindow.Day), ("week", CounterWindow.Week), ("month", CounterWindow.Month)]);

    private static readonly ChoiceParameter<CounterAggregate> Aggregate = new(
        "aggregation", "Which aggregate is the `value`, by which `top` ranks.",
        [("sum", CounterAggregate.Sum), ("count", CounterAggregate.Count), ("min", CounterAggregate.Min), ("max", CounterAggregate.Max), ("last", CounterAggregate.Last)])
    {
        Default = CounterAggregate.Sum,
        DefaultWord = "sum",
    };

    public static readonly QueryParameter[] Parameters =
    [
        CommonParameters.Tenant, CommonParameters.RequiredMetric, Since, Until, Window, TimeZone, GroupBy, CommonParameters.Customer,
        Resource, MetaKey, MetaValue, Aggregate, Top, Limit, CommonParameters.Cursor,
    ];

    public static async Task<CounterWindowPage> HandleAsync(HttpContext context, CounterService.CounterServiceClient counters)
    {
        var request = Read(context);
        var page = await counters.QueryCountersAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new CounterWindowPage(
            [.. page.Windows.Select(window => ToAnswer(window, request.RankBy))],
            page.NextPageToken.OrNull());
    }

    private static QueryCountersRequest Read(HttpContext context)
    {
        var query = new QueryReader(context);
        var request = new QueryCountersRequest
        {
            TenantId = query.Text(CommonParameters.Tenant),
            Metric = query.Text(CommonParameters.RequiredMetric),
            StartTime = query.Read(Since)?.ToTimestamp(),
            EndTime = query.Read(Until)?.ToTimestamp(),
            Window = query.Read(Window),
            TimeZone = query.Text(TimeZone),
            CustomerRef = query.Text(CommonParameters.Customer),
            ResourceId = query.Text(Resource),
            MetaKey = query.Text(MetaKey),
            MetaValue = query.Text(MetaValue),
            RankBy = query.Read(Aggregate),
            Top = query.Read(Top),
            PageSize = query.Read(Limit),
            PageToken = query.Text(CommonParameters.Cursor),
        };
        ReadGrouping(query, request);
        if (request.StartTime is not null && request.EndTime is not null && request.StartTime > request.EndTime)
            query.Add(Until.Name, $"must not be before {Since.Name}");
        if (request.MetaKey.Length == 0 && request.MetaValue.Length > 0)
            query.Add(MetaKey.Name, $"is required with {MetaValue.Name}");
        query.Check();
        return request;
    }

    private static void ReadGrouping(QueryReader query, QueryCountersRequest request)
    {
        switch (query.Text(GroupBy))
        {
            case "":
                return;
            case "customerRef":
                request.Grouping = CounterGrouping.Customer;
                return;
            case "resourceId":
                request.Grouping = CounterGrouping.Resource;
                return;
            case var text when text.StartsWith(MetaPrefix, StringComparison.Ordinal) && text.Length > MetaPrefix.Length:
                (request.Grouping, request.GroupMetaKey) = (CounterGrouping.Meta, text[MetaPrefix.Length..]);
                return;
            default:
                query.Add(GroupBy.Name, "must be customerRef, resourceId, or meta. and a member of meta objects");
                return;
        }
    }

    private static CounterWindowAnswer ToAnswer(CounterWindowUsage window, CounterAggregate aggregate) => new(
        RestTime.Write(window.StartTime),
        window.HasGroup ? window.Group : null,
        Aggregates.Pick(ToAggregation(aggregate), window.Sum, window.Count, window.Min, window.Max, window.Last),
        new ExactNumber(window.Sum),
        window.Count,
        new ExactNumber(window.Min),
        new ExactNumber(window.Max),
        new ExactNumber(window.Last));

    private static Aggregation ToAggregation(CounterAggregate aggregate) => aggregate switch
    {
        CounterAggregate.Count => Aggregation.Count,
        CounterAggregate.Min => Aggregation.Min,
        CounterAggregate.Max => Aggregation.Max,
        CounterAggregate.Last => Aggregation.Last,
        _ => Aggregation.Sum,
    };
}
