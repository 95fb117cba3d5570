using System.Text.Json.Nodes;
using StripeMeter.Defaults.Access;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.Errors;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Requests;
using StripeMeter.V1;
using ChainedEntry = StripeMeter.Metering.AuditLog.ChainedEntry;

namespace StripeMeter.Gateway.AuditLog;

/// <summary>A page of the audit log.</summary>
/// <param name="Entries">In the order asked for.</param>
/// <param name="NextCursor">Where the next page begins. Absent on the last.</param>
public sealed record AuditLogPage(IReadOnlyList<AuditLogAnswer> Entries, string? NextCursor);

/// <summary>The beginning of a change or its outcome, and who made it.</summary>
/// <param name="Sequence">From 1, without gaps.</param>
/// <param name="Stage">begun: written before anything is changed. done, refused or failed: the outcome.</param>
/// <param name="Begun">In an outcome: sequence of the beginning. Absent where nothing was stored.</param>
/// <param name="At">When.</param>
/// <param name="Actor">Who.</param>
/// <param name="Action">What.</param>
/// <param name="RequestId">The request, as its answer named it.</param>
/// <param name="Asked">What was asked for; in the beginning.</param>
/// <param name="Before">What stood before, where something was overwritten; in the beginning.</param>
/// <param name="After">What was answered; in the outcome.</param>
/// <param name="Text">The entry, character for character what was hashed.</param>
/// <param name="PreviousHash">Hash of the entry before; 64 zeros before the first.</param>
/// <param name="Hash">SHA-256 of the previous hash, a line feed and the text.</param>
public sealed record AuditLogAnswer(
    long Sequence, string Stage, long? Begun, string At, string Actor, string Action, string RequestId, JsonNode? Asked, JsonNode? Before, JsonNode? After,
    string Text, string PreviousHash, string Hash)
{
    public static AuditLogAnswer Of(V1.AuditEntry chained)
    {
        ArgumentNullException.ThrowIfNull(chained);
        var entry = new ChainedEntry(chained.Text, chained.PreviousHash, chained.Hash).ToEntry();
        return new AuditLogAnswer(
            entry.Sequence, entry.Stage, entry.Begun > 0 ? entry.Begun : null, entry.At, entry.Actor, entry.Action, entry.RequestId,
            Parse(entry.Asked), Parse(entry.Before), Parse(entry.After), chained.Text, chained.PreviousHash, chained.Hash);
    }

    private static JsonNode? Parse(string json) => json.Length == 0 ? null : JsonNode.Parse(json);
}

/// <summary><c>GET /v1/audit-log</c>.</summary>
internal static class AuditLogEndpoints
{
    private static readonly TextParameter Actor = new("actor", "Only what this caller did. Pages may hold fewer entries than asked for.", 255);
    private static readonly TextParameter Action = new("action", "Only this kind of change, as `MappingService.UpdateMapping`.", 255);
    private static readonly TextParameter RequestId = new("requestId", "Only what this request did.", 255);

    private static readonly FlagParameter Unresolved =
        new("unresolved", "Only beginnings without an outcome: changes being made right now, and those that a crash interrupted. Newest first.");

    private static readonly IntegerParameter Limit = CommonParameters.Limit(1_000, 100);

    private static readonly ChoiceParameter<bool> Direction = new("sortDir", "From the newest on, or from the first.", [("desc", false), ("asc", true)])
    {
        DefaultWord = "desc",
    };

    public static void MapAuditLog(this IEndpointRouteBuilder routes) => routes.MapGet("/v1/audit-log", ListAsync)
        .Describe(
            "Administration", "ListAuditLog", "Who changed what: hash-chained, never changed",
            CommonParameters.Tenant, Actor, Action, RequestId, Unresolved, Direction, Limit, CommonParameters.Cursor)
        .Allows(AccessKind.Read);

    private static async Task<AuditLogPage> ListAsync(HttpContext context, AuditLogService.AuditLogServiceClient log)
    {
        var query = new QueryReader(context);
        var request = new ListAuditEntriesRequest
        {
            TenantId = query.Text(CommonParameters.Tenant), ActorFilter = query.Text(Actor), ActionFilter = query.Text(Action),
            RequestIdFilter = query.Text(RequestId), UnresolvedOnly = query.Read(Unresolved) ?? false,
            Ascending = query.Read(Direction), PageSize = query.Read(Limit), PageToken = query.Text(CommonParameters.Cursor),
        };
        query.Check();
        if (request is { UnresolvedOnly: true, Ascending: true })
            throw new ProblemException(Problem.Invalid("sortDir", "must be desc with unresolved: outcomes are met before their beginnings"));
        var page = await log.ListAuditEntriesAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new AuditLogPage([.. page.Entries.Select(AuditLogAnswer.Of)], page.NextPageToken.OrNull());
    }
}
