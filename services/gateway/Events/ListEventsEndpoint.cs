using StripeMeter.Defaults.Wire;
using StripeMeter.Gateway.Requests;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Events;

/// <summary>Events of the ledger.</summary>
/// <param name="Total">All matching events. Absent when going on by cursor, because counting them costs a scan.</param>
/// <param name="Events">One page.</param>
/// <param name="NextCursor">Where the next page begins. Absent on the last.</param>
public sealed record EventPage(long? Total, IReadOnlyList<EventAnswer> Events, string? NextCursor);

/// <summary>An event as the ledger keeps it.</summary>
/// <param name="Id">Its idempotency key.</param>
/// <param name="TenantId">The tenant.</param>
/// <param name="Metric">What is counted.</param>
/// <param name="CustomerRef">The customer, as the tenant names it.</param>
/// <param name="ResourceId">Part of the customer's usage.</param>
/// <param name="Quantity">How much.</param>
/// <param name="Timestamp">When it happened.</param>
/// <param name="Meta">The meta object as JSON text.</param>
/// <param name="Source">Where it came from.</param>
/// <param name="ReceivedAt">When it was stored.</param>
/// <param name="Late">Received after its lateness window.</param>
/// <param name="Held">Not counted, because it came late and waits for approval.</param>
/// <param name="Shard">The shard of the ledger.</param>
/// <param name="Position">Its place in the shard.</param>
public sealed record EventAnswer(
    string Id, string TenantId, string Metric, string CustomerRef, string? ResourceId, ExactNumber Quantity, string? Timestamp,
    string Meta, string Source, string? ReceivedAt, bool Late, bool Held, int Shard, long Position);

/// <summary><c>GET /v1/events</c>.</summary>
internal static class ListEventsEndpoint
{
    private static readonly IntegerParameter Limit = CommonParameters.Limit(100, 25);
    private static readonly IntegerParameter Offset = new("offset", "Events to pass over. `cursor` is cheaper.", 0, 10_000);
    private static readonly MomentParameter StartTime = new("startTime", "From this instant on.");
    private static readonly MomentParameter EndTime = new("endTime", "Up to this instant, inclusive.");
    private static readonly FlagParameter Late = new("late", "Only events that came late.");

    private static readonly ChoiceParameter<EventSource> Source = new(
        "source", "Only events of this source.",
        [("sdk", EventSource.Sdk), ("http", EventSource.Http), ("etl", EventSource.Etl), ("import", EventSource.Import), ("system", EventSource.System)]);

    private static readonly ChoiceParameter<EventSort> Sort = new(
        "sort", "The order.",
        [("ts", EventSort.Timestamp), ("metric", EventSort.Metric), ("customerRef", EventSort.CustomerRef), ("source", EventSort.Source)])
    {
        Default = EventSort.Timestamp,
        DefaultWord = "ts",
    };

    private static readonly ChoiceParameter<bool> Direction = new("sortDir", "Its direction.", [("asc", true), ("desc", false)])
    {
        DefaultWord = "desc",
    };

    public static readonly QueryParameter[] Parameters =
    [
        CommonParameters.Tenant, CommonParameters.Metric, CommonParameters.Customer, Source, StartTime, EndTime, Late, Sort,
        Direction, Limit, CommonParameters.Cursor, Offset,
    ];

    public static async Task<EventPage> HandleAsync(HttpContext context, EventService.EventServiceClient events)
    {
        var request = Read(context);
        var page = await events.ListEventsAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new EventPage(
            request.IncludeTotal ? page.TotalCount : null,
            [.. page.Events.Select(ToAnswer)],
            page.NextPageToken.OrNull());
    }

    private static ListEventsRequest Read(HttpContext context)
    {
        var query = new QueryReader(context);
        var request = new ListEventsRequest
        {
            TenantId = query.Text(CommonParameters.Tenant),
            Metric = query.Text(CommonParameters.Metric),
            CustomerRef = query.Text(CommonParameters.Customer),
            Source = query.Read(Source),
            StartTime = query.Read(StartTime)?.ToTimestamp(),
            EndTime = query.Read(EndTime)?.ToTimestamp(),
            LateOnly = query.Read(Late) ?? false,
            Sort = query.Read(Sort),
            Ascending = query.Read(Direction),
            PageSize = query.Read(Limit),
            PageToken = query.Text(CommonParameters.Cursor),
            Offset = query.Read(Offset),
        };
        if (request.PageToken.Length > 0 && request.Offset > 0)
            query.Add(Offset.Name, "cannot be given together with cursor");
        query.Check();
        request.IncludeTotal = request.PageToken.Length == 0;
        return request;
    }

    internal static EventAnswer ToAnswer(LedgerEvent entry) => new(
        entry.Event.IdempotencyKey,
        entry.Event.TenantId,
        entry.Event.Metric,
        entry.Event.CustomerRef,
        entry.Event.ResourceId.OrNull(),
        new ExactNumber(entry.Event.Quantity),
        RestTime.Write(entry.Event.Timestamp),
        entry.Event.MetaJson.Length > 0 ? entry.Event.MetaJson : "{}",
        entry.Event.Source.ToString().ToLowerInvariant(),
        RestTime.Write(entry.ReceivedTime),
        entry.Late,
        entry.Late,
        entry.Shard,
        entry.Position);
}
