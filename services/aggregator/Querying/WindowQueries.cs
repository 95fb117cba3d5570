using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;
using StripeMeter.V1;

namespace StripeMeter.Aggregator.Querying;

/// <summary>Answers what was used in windows of time.</summary>
public sealed class WindowQueries(IMeterStore store, QueryOptions options, TimeProvider clock)
{
    private const int DefaultPageSize = 100;
    private const int MaximumPageSize = 1_000;
    private const int MaximumTop = 1_000;
    private const int MetaKeyLength = 100;
    private const int MetaValueLength = 1_000;
    private static readonly EventLimits Limits = new();

    public async Task<QueryCountersResponse> AnswerAsync(QueryCountersRequest request, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(request);
        var tenant = Requests.Tenant(request.TenantId);
        var size = Requests.PageSize(request.PageSize, DefaultPageSize, MaximumPageSize);
        Cursor? after = null;
        if (request.PageToken.Length > 0 && !PageToken.TryRead(request.PageToken, out after))
            throw RpcErrors.Invalid("page_token", "is not one that a listing gave");
        var query = ToQuery(request, after);
        var result = await UsageWindows.ReadAsync(store.Of(tenant).Ledger, query, cancellation).ConfigureAwait(false);
        if (result.Bound != UsageWindowBound.None)
            throw RpcErrors.OutOfRange(ReasonOf(result.Bound));

        var rest = result.Windows.Where(window => after is null || after.IsBefore(window)).Take(size + 1).ToList();
        var response = new QueryCountersResponse();
        response.Windows.AddRange(rest.Take(size).Select(ToWire));
        if (rest.Count > size)
            response.NextPageToken = PageToken.Write(new Cursor(rest[size - 1].Start.Ticks, rest[size - 1].Group, query.Before.Ticks));
        return response;
    }

    private UsageWindowQuery ToQuery(QueryCountersRequest request, Cursor? after)
    {
        var from = Requests.RequiredTime("start_time", request.StartTime);

        // An end that is not given stays where the first page saw it.
        var before = Requests.Time("end_time", request.EndTime) ?? after?.End ?? Instant.Of(clock.GetUtcNow());
        if (before < from)
            throw RpcErrors.Invalid("end_time", "must not be before start_time");
        if (request.Top is < 0 or > MaximumTop)
            throw RpcErrors.Invalid("top", $"must be 0 to {MaximumTop}");
        if (request.MetaKey.Length == 0 && request.MetaValue.Length > 0)
            throw RpcErrors.Invalid("meta_key", "is required with meta_value");
        var byMeta = request.Grouping == CounterGrouping.Meta;
        if (byMeta != request.GroupMetaKey.Length > 0)
            throw RpcErrors.Invalid("group_meta_key", byMeta ? "is required" : "is only for grouping by meta");
        return new UsageWindowQuery
        {
            Metric = Requests.Metric(request.Metric),
            Customer = Optional("customer_ref", request.CustomerRef, Limits.CustomerLength),
            Resource = Optional("resource_id", request.ResourceId, Limits.ResourceLength),
            Meta = Optional("meta_key", request.MetaKey, MetaKeyLength) is { } key
                ? (key, Optional("meta_value", request.MetaValue, MetaValueLength) ?? "")
                : null,
            From = from,
            Before = before,
            StartOf = WindowClock.Of(request.Window, request.TimeZone, from),
            Grouping = ToGrouping(request.Grouping),
            GroupMember = Optional("group_meta_key", request.GroupMetaKey, MetaKeyLength) ?? "",
            Top = request.Top,
            RankBy = ToRank(request.RankBy),
            MaximumEvents = options.MaximumEvents,
            MaximumWindows = options.MaximumWindows,
        };
    }

    private static string? Optional(string field, string value, int maximumLength)
    {
        if (value.Length > maximumLength)
            throw RpcErrors.Invalid(field, $"must have at most {maximumLength} characters");
        return value.Length > 0 ? value : null;
    }

    private static UsageGrouping ToGrouping(CounterGrouping grouping) => grouping switch
    {
        CounterGrouping.Unspecified => UsageGrouping.None,
        CounterGrouping.Customer => UsageGrouping.Customer,
        CounterGrouping.Resource => UsageGrouping.Resource,
        CounterGrouping.Meta => UsageGrouping.Meta,
        _ => throw RpcErrors.Invalid("grouping", "is not known"),
    };

    private static Func<Aggregates, Quantity> ToRank(CounterAggregate aggregate) => aggregate switch
    {
        CounterAggregate.Unspecified or CounterAggregate.Sum => static aggregates => aggregates.Sum,
        CounterAggregate.Count => static aggregates => Quantity.FromInteger(aggregates.Count),
        CounterAggregate.Min => static aggregates => aggregates.Min,
        CounterAggregate.Max => static aggregates => aggregates.Max,
        CounterAggregate.Last => static aggregates => aggregates.Last,
        _ => throw RpcErrors.Invalid("rank_by", "is not known"),
    };

    private string ReasonOf(UsageWindowBound bound) => bound == UsageWindowBound.Events
        ? $"The answer takes reading more than {options.MaximumEvents} events; ask for a shorter time or for one customer."
        : $"The answer has more than {options.MaximumWindows} windows; ask for a shorter time, longer windows, or another grouping.";

    private static CounterWindowUsage ToWire(UsageWindow window)
    {
        var usage = new CounterWindowUsage
        {
            StartTime = window.Start.ToTimestamp(),
            Sum = window.Aggregates.Sum.ToString(),
            Count = window.Aggregates.Count,
            Min = window.Aggregates.Min.ToString(),
            Max = window.Aggregates.Max.ToString(),
            Last = window.Aggregates.Last.ToString(),
        };
        if (window.Group is not null)
            usage.Group = window.Group;
        return usage;
    }

    private sealed record Cursor(long Start, string? Group, long EndTicks)
    {
        public Instant End => new(EndTicks);

        public bool IsBefore(UsageWindow window) => window.Start.Ticks != Start
            ? window.Start.Ticks > Start
            : string.CompareOrdinal(window.Group, Group) > 0;
    }
}
