using Microsoft.AspNetCore.Http.HttpResults;
using StripeMeter.Defaults.Access;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Identity;
using StripeMeter.V1;
using DeadLetterCalls = StripeMeter.V1.DeadLetterService.DeadLetterServiceClient;

namespace StripeMeter.Gateway.DeadLetters;

/// <summary>What publishers sent over pub/sub and was not taken.</summary>
internal static class DeadLetterEndpoints
{
    private const string Path = "/v1/events/dead-letters";
    private const string Tag = "Events";
    private static readonly HashSet<string> Members = ["tenantId", "ids"];
    private static readonly IntegerParameter Limit = CommonParameters.Limit(100, 25);

    public static void MapDeadLetters(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, ListAsync).Describe(
            Tag, "ListDeadLetters", "Published events that were not taken, newest hour first",
            CommonParameters.Tenant, Limit, CommonParameters.Cursor)
            .Allows(AccessKind.Read, Scopes.EventsRead);
        routes.MapPost(Path + "/redrive", RedriveAsync)
            .Describe(Tag, "RedriveDeadLetters", "Takes dead letters after all, if they keep the rules now")
            .Allows(AccessKind.Change, Scopes.EventsWrite)
            .Takes<RedriveBody>();
        routes.MapDelete(Path + "/{id}", DeleteAsync)
            .Describe(Tag, "DeleteDeadLetter", "Forgets a dead letter", CommonParameters.Tenant)
            .Allows(AccessKind.Change, Scopes.EventsWrite)
            .Refuses(StatusCodes.Status404NotFound);
    }

    private static async Task<DeadLetterPage> ListAsync(HttpContext context, DeadLetterCalls letters)
    {
        var query = new QueryReader(context);
        var request = new ListDeadLettersRequest
        {
            TenantId = query.Text(CommonParameters.Tenant),
            PageSize = query.Read(Limit),
            PageToken = query.Text(CommonParameters.Cursor),
        };
        query.Check();
        var page = await letters.ListDeadLettersAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new DeadLetterPage(
            [.. page.DeadLetters.Select(DeadLetterAnswer.Of)], page.NextPageToken.OrNull());
    }

    private static async Task<RedriveAnswer> RedriveAsync(HttpContext context, DeadLetterCalls letters, GatewayOptions options)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, Members).ConfigureAwait(false);
        var request = new RedriveDeadLettersRequest { TenantId = body.Text("tenantId", required: true) ?? "" };
        request.Ids.AddRange(body.Texts("ids"));
        body.Check();
        var answer = await letters.RedriveDeadLettersAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new RedriveAnswer([.. answer.Results.Select(RedriveEntry.Of)]);
    }

    private static async Task<NoContent> DeleteAsync(string id, HttpContext context, DeadLetterCalls letters)
    {
        var query = new QueryReader(context);
        var request = new DeleteDeadLetterRequest { TenantId = query.Text(CommonParameters.Tenant), Id = id };
        query.Check();
        await letters.DeleteDeadLetterAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return TypedResults.NoContent();
    }
}
