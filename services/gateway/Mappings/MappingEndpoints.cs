using Grpc.Core;
using Microsoft.AspNetCore.Http.HttpResults;
using StripeMeter.Defaults.Access;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Identity;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Mappings;

/// <summary>Mappings of metrics to Stripe meters.</summary>
internal static class MappingEndpoints
{
    private const string Path = "/v1/mappings";
    private const string PathOfOne = Path + "/{id}";
    private const string Tag = "Mappings";
    private const string DefaultAccount = "default";
    private const int MaximumTries = 5;
    private static readonly FlagParameter Active = new("active", "Only active ones, or only inactive ones.");
    private static readonly IntegerParameter Limit = CommonParameters.Limit(1_000, 100);

    public static void MapMappings(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, ListAsync).Describe(
            Tag, "ListMappings", "The mappings of a tenant. The header `Link` names the next page, if there is one",
            CommonParameters.Tenant, Active, CommonParameters.Metric, Limit, CommonParameters.Cursor)
            .Allows(AccessKind.Read, Scopes.MappingsRead);
        routes.MapPost(Path, CreateAsync).Describe(Tag, "CreateMapping", "Maps a metric to a Stripe meter")
            .Allows(AccessKind.Change, Scopes.MappingsWrite)
            .Takes<MappingRequest>()
            .Refuses(StatusCodes.Status409Conflict)
            .Refuses(StatusCodes.Status422UnprocessableEntity);
        routes.MapGet(PathOfOne, GetAsync).Describe(Tag, "GetMapping", "One mapping", CommonParameters.Tenant)
            .Allows(AccessKind.Read, Scopes.MappingsRead)
            .Refuses(StatusCodes.Status404NotFound);
        routes.MapPut(PathOfOne, UpdateAsync)
            .Describe(Tag, "UpdateMapping", "Changes the members of a mapping that are sent")
            .Allows(AccessKind.Change, Scopes.MappingsWrite)
            .Takes<MappingRequest>()
            .Refuses(StatusCodes.Status404NotFound)
            .Refuses(StatusCodes.Status409Conflict)
            .Refuses(StatusCodes.Status422UnprocessableEntity);
        routes.MapDelete(PathOfOne, DeleteAsync)
            .Describe(Tag, "DeleteMapping", "Ends a mapping. What was pushed stays at Stripe", CommonParameters.Tenant)
            .Allows(AccessKind.Change, Scopes.MappingsWrite)
            .Refuses(StatusCodes.Status404NotFound);
    }

    private static async Task<IReadOnlyList<MappingAnswer>> ListAsync(
        HttpContext context, MappingService.MappingServiceClient mappings)
    {
        var query = new QueryReader(context);
        var request = new ListMappingsRequest
        {
            TenantId = query.Text(CommonParameters.Tenant),
            Metric = query.Text(CommonParameters.Metric),
            PageSize = query.Read(Limit),
            PageToken = query.Text(CommonParameters.Cursor),
        };
        if (query.Read(Active) is { } active)
            request.Active = active;
        query.Check();

        var page = await mappings.ListMappingsAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        if (page.NextPageToken.Length > 0)
            context.Response.Headers.Link = NextLink(context.Request, page.NextPageToken);
        return [.. page.Mappings.Select(MappingAnswer.Of)];
    }

    private static async Task<Created<MappingAnswer>> CreateAsync(
        HttpContext context, MappingService.MappingServiceClient mappings, GatewayOptions options)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, MappingBody.Known).ConfigureAwait(false);
        var mapping = new Mapping
        {
            TenantId = body.Tenant(),
            StripeAccount = DefaultAccount,
            Active = true,
            CustomerRule = new CustomerRule(),
        };
        body.Text("metric", required: true);
        body.Text("aggregation", required: true);
        MappingBody.Apply(body, mapping);
        body.Check();

        var created = await mappings.CreateMappingAsync(
            new CreateMappingRequest { Mapping = mapping }, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return TypedResults.Created($"{Path}/{Uri.EscapeDataString(created.Id)}", MappingAnswer.Of(created));
    }

    private static async Task<MappingAnswer> GetAsync(
        string id, HttpContext context, MappingService.MappingServiceClient mappings)
    {
        var request = new GetMappingRequest { TenantId = ReadTenant(context), Id = id };
        return MappingAnswer.Of(
            await mappings.GetMappingAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false));
    }

    private static async Task<MappingAnswer> UpdateAsync(
        string id, HttpContext context, MappingService.MappingServiceClient mappings, GatewayOptions options)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, MappingBody.Known, MappingBody.ReadOnly)
            .ConfigureAwait(false);
        var tenant = body.Tenant();
        body.Check();

        for (var tries = 1; ; tries++)
        {
            var mapping = await mappings.GetMappingAsync(
                new GetMappingRequest { TenantId = tenant, Id = id }, cancellationToken: context.RequestAborted).ConfigureAwait(false);
            MappingBody.Apply(body, mapping);
            body.Check();
            try
            {
                return MappingAnswer.Of(await mappings.UpdateMappingAsync(
                    new UpdateMappingRequest { Mapping = mapping }, cancellationToken: context.RequestAborted).ConfigureAwait(false));
            }
            catch (RpcException clash) when (clash.StatusCode == StatusCode.Aborted && tries < MaximumTries)
            {
                // Somebody else changed it meanwhile: their members stay, but for those of this body.
            }
        }
    }

    private static async Task<NoContent> DeleteAsync(
        string id, HttpContext context, MappingService.MappingServiceClient mappings)
    {
        var request = new DeleteMappingRequest { TenantId = ReadTenant(context), Id = id };
        await mappings.DeleteMappingAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return TypedResults.NoContent();
    }

    private static string ReadTenant(HttpContext context)
    {
        var query = new QueryReader(context);
        var tenant = query.Text(CommonParameters.Tenant);
        query.Check();
        return tenant;
    }

    private static string NextLink(HttpRequest request, string cursor)
    {
        var query = request.Query
            .Where(pair => pair.Key != CommonParameters.Cursor.Name)
            .Select(pair => $"{Uri.EscapeDataString(pair.Key)}={Uri.EscapeDataString(pair.Value.ToString())}");
        return $"<{Path}?{string.Join('&', query)}&{CommonParameters.Cursor.Name}={Uri.EscapeDataString(cursor)}>; rel=\"next\"";
    }
}
