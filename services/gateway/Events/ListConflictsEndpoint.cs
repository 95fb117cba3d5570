using StripeMeter.Gateway.Errors;
using StripeMeter.Gateway.Requests;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Events;

/// <summary>Events that were refused.</summary>
/// <param name="Conflicts">One page.</param>
/// <param name="NextCursor">Where the next page begins. Absent on the last.</param>
public sealed record ConflictPage(IReadOnlyList<ConflictAnswer> Conflicts, string? NextCursor);

/// <summary>An event that was refused because another stands under its key.</summary>
/// <param name="IdempotencyKey">The key.</param>
/// <param name="Metric">Of the event that was refused.</param>
/// <param name="CustomerRef">Of the event that was refused.</param>
/// <param name="Differences">In what it differs from the event that stands.</param>
/// <param name="Shard">Shard of the event that stands.</param>
/// <param name="Position">Its place in the shard; 0 if it could not be read.</param>
/// <param name="SeenAt">When it was refused; of one sent again and again, the first time within the hour.</param>
public sealed record ConflictAnswer(
    string IdempotencyKey, string Metric, string CustomerRef, IReadOnlyList<DifferenceAnswer> Differences, int Shard,
    long Position, string? SeenAt);

/// <summary><c>GET /v1/events/conflicts</c>.</summary>
internal static class ListConflictsEndpoint
{
    private static readonly IntegerParameter Limit = CommonParameters.Limit(100, 25);

    public static readonly QueryParameter[] Parameters = [CommonParameters.Tenant, Limit, CommonParameters.Cursor];

    public static async Task<ConflictPage> HandleAsync(HttpContext context, EventService.EventServiceClient events)
    {
        var query = new QueryReader(context);
        var request = new ListConflictsRequest
        {
            TenantId = query.Text(CommonParameters.Tenant),
            PageSize = query.Read(Limit),
            PageToken = query.Text(CommonParameters.Cursor),
        };
        query.Check();
        var page = await events.ListConflictsAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new ConflictPage(
            [.. page.Conflicts.Select(ToAnswer)], page.NextPageToken.OrNull());
    }

    private static ConflictAnswer ToAnswer(Conflict conflict) => new(
        conflict.IdempotencyKey, conflict.Metric, conflict.CustomerRef,
        [.. conflict.Differences.Select(difference =>
            new DifferenceAnswer(RestNames.Of(difference.Field).Field, difference.Sent, difference.Standing))],
        conflict.Shard, conflict.Position, RestTime.Write(conflict.SeenTime));
}
