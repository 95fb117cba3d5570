using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Ingest.Conflicts;
using StripeMeter.Ingest.Ingesting;
using StripeMeter.Metering.Conflicts;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.V1;

namespace StripeMeter.Ingest.Listing;

/// <summary>Lists what stands in the ledger.</summary>
public sealed class EventServiceEndpoint(IMeterStore store) : EventService.EventServiceBase
{
    private const int DefaultPageSize = 25;
    private const int MaximumPageSize = 100;
    private const int MaximumOffset = 10_000;

    [Access(AccessKind.Read, Scopes.EventsRead)]
    public override async Task<ListEventsResponse> ListEvents(ListEventsRequest request, ServerCallContext context)
    {
        var tenant = ToTenant(request.TenantId);
        var query = ToQuery(request);
        var ledger = store.Of(tenant).Ledger;

        // One more than asked for tells whether there is a next page.
        var entries = await ledger.QueryAsync(query with { Limit = query.Limit + 1 }, context.CancellationToken)
            .ConfigureAwait(false);
        var response = new ListEventsResponse();
        response.Events.AddRange(entries.Take(query.Limit).Select(entry => entry.ToWire(tenant)));
        if (entries.Count > query.Limit)
            response.NextPageToken = PageToken.Write(Cursor.Of(entries[query.Limit - 1], query));
        if (request.IncludeTotal)
            response.TotalCount = await ledger.CountAsync(query, context.CancellationToken).ConfigureAwait(false);
        return response;
    }

    [Access(AccessKind.Read, Scopes.EventsRead)]
    public override async Task<ListConflictsResponse> ListConflicts(ListConflictsRequest request, ServerCallContext context)
    {
        var tenant = ToTenant(request.TenantId);
        if (request.PageSize is < 0 or > MaximumPageSize)
            throw RpcErrors.Invalid("page_size", $"must be 0 to {MaximumPageSize}");
        string? after = null;
        if (request.PageToken.Length > 0 && !PageToken.TryRead(request.PageToken, out after))
            throw RpcErrors.Invalid("page_token", "is not one that a listing gave");
        var limit = request.PageSize == 0 ? DefaultPageSize : request.PageSize;
        var found = await new ConflictList(store.Of(tenant).Documents).ListAsync(after, limit + 1, context.CancellationToken)
            .ConfigureAwait(false);
        var response = new ListConflictsResponse();
        response.Conflicts.AddRange(found.Take(limit).Select(ConflictReporter.ToWire));
        if (found.Count > limit)
            response.NextPageToken = PageToken.Write(found[limit - 1].Id);
        return response;
    }

    private static TenantId ToTenant(string id) => TenantId.IsValid(id)
        ? new TenantId(id)
        : throw RpcErrors.Invalid("tenant_id", $"must have 1 to {TenantId.MaximumLength} printable characters");

    private static EventQuery ToQuery(ListEventsRequest request)
    {
        if (request.PageSize is < 0 or > MaximumPageSize)
            throw RpcErrors.Invalid("page_size", $"must be 0 to {MaximumPageSize}");
        if (request.Offset is < 0 or > MaximumOffset)
            throw RpcErrors.Invalid("offset", $"must be 0 to {MaximumOffset}");
        var query = new EventQuery
        {
            Metric = request.Metric.Length > 0 ? request.Metric : null,
            Customer = request.CustomerRef.Length > 0 ? request.CustomerRef : null,
            Source = request.Source == EventSource.Unspecified ? null : request.Source.ToDomain(),
            From = ToInstant(request.StartTime, "start_time") ?? Instant.Minimum,
            To = ToInstant(request.EndTime, "end_time") ?? Instant.Maximum,
            Late = request.LateOnly ? true : null,
            Order = request.Sort == EventSort.Unspecified ? EventOrder.Timestamp : (EventOrder)request.Sort,
            Ascending = request.Ascending,
            Offset = request.Offset,
            Limit = request.PageSize == 0 ? DefaultPageSize : request.PageSize,
        };
        return request.PageToken.Length == 0 ? query : query with { After = ReadCursor(request.PageToken, query) };
    }

    private static EventCursor ReadCursor(string token, EventQuery query)
    {
        if (!PageToken.TryRead(token, out Cursor? cursor) || cursor?.ToDomain() is not { } place || !place.IsPlaceIn(cursor.Order))
            throw RpcErrors.Invalid("page_token", "is not one that a listing gave");
        return (cursor.Order, cursor.Ascending) == (query.Order, query.Ascending)
            ? place
            : throw RpcErrors.Invalid("page_token", "is one of another order");
    }

    private static Instant? ToInstant(Timestamp? timestamp, string field)
    {
        if (timestamp is null)
            return null;
        var problem = timestamp.TryToInstant(out var instant);
        return problem is null ? instant : throw RpcErrors.Invalid(field, problem);
    }

    private sealed record Cursor(EventOrder Order, bool Ascending, string Value, long Ticks, int Shard, long Position)
    {
        public static Cursor Of(LedgerEntry entry, EventQuery query)
        {
            var place = EventCursor.Of(entry, query.Order);
            return new Cursor(query.Order, query.Ascending, place.Value, place.Timestamp.Ticks, place.Shard, place.Position);
        }

        public EventCursor ToDomain() => new(Value, new Instant(Ticks), Shard, Position);
    }
}
