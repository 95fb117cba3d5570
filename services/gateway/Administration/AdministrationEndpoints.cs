using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Http.HttpResults;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Wire;
using StripeMeter.EventFormats;
using StripeMeter.Gateway.Access;
using StripeMeter.Gateway.OpenApi;
using StripeMeter.Gateway.Requests;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Time;
using StripeMeter.V1;
using IdentityCalls = StripeMeter.V1.IdentityService.IdentityServiceClient;

namespace StripeMeter.Gateway.Administration;

/// <summary>Organisations, projects, API keys, and tokens for customers.</summary>
internal static class AdministrationEndpoints
{
    private const string Keys = "/v1/admin/api-keys";
    private const string Projects = "/v1/admin/projects";
    private const string Organisations = "/v1/admin/organisations";
    private const string Tag = "Administration";
    private static readonly HashSet<string> KeyMembers = [CallerTenant.Name, "name", "projectId", "scopes", "test", "expiresAt"];
    private static readonly HashSet<string> RotationMembers = [CallerTenant.Name, "overlapSeconds"];
    private static readonly HashSet<string> RevocationMembers = [CallerTenant.Name];
    private static readonly HashSet<string> ProjectMembers = [CallerTenant.Name, "id", "name"];
    private static readonly HashSet<string> OrganisationMembers = ["id", "name"];
    private static readonly HashSet<string> TokenMembers = [CallerTenant.Name, "customerRef", "lifetimeSeconds"];
    private static readonly IntegerParameter Limit = CommonParameters.Limit(1_000, 100);

    public static void MapAdministration(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Keys, ListKeysAsync)
            .Describe(Tag, "ListApiKeys", "The API keys of an organisation; never the keys themselves", CommonParameters.Tenant)
            .Allows(AccessKind.Read);
        routes.MapPost(Keys, CreateKeyAsync)
            .Describe(Tag, "CreateApiKey", "Makes an API key, which is shown once")
            .Takes<KeyRequest>().Refuses(StatusCodes.Status409Conflict).Refuses(StatusCodes.Status422UnprocessableEntity)
            .Allows(AccessKind.Change);
        routes.MapPost(Keys + "/{id}/rotate", RotateKeyAsync)
            .Describe(Tag, "RotateApiKey", "Makes a key that takes the place of another, which serves for a while longer")
            .Takes<RotationRequest>().Refuses(StatusCodes.Status404NotFound).Refuses(StatusCodes.Status422UnprocessableEntity)
            .Allows(AccessKind.Change);
        routes.MapPost(Keys + "/{id}/revoke", RevokeKeyAsync)
            .Describe(Tag, "RevokeApiKey", "Ends a key: within 5 seconds it is refused everywhere")
            .Takes<RevocationRequest>().Refuses(StatusCodes.Status404NotFound)
            .Allows(AccessKind.Change);
        routes.MapGet(Projects, ListProjectsAsync)
            .Describe(Tag, "ListProjects", "The projects of an organisation", CommonParameters.Tenant)
            .Allows(AccessKind.Read);
        routes.MapPost(Projects, CreateProjectAsync)
            .Describe(Tag, "CreateProject", "Adds a project to an organisation")
            .Takes<NewProject>().Refuses(StatusCodes.Status409Conflict)
            .Allows(AccessKind.Change);
        routes.MapGet(Organisations, ListOrganisationsAsync)
            .Describe(Tag, "ListOrganisations", "For operators every organisation, for others their own", Limit, CommonParameters.Cursor)
            .Allows(AccessKind.Read, Scopes.OperatorWrite);
        routes.MapPost(Organisations, CreateOrganisationAsync)
            .Describe(Tag, "CreateOrganisation", "Records an organisation and makes its first key; for operators")
            .Takes<NewOrganisation>().Refuses(StatusCodes.Status409Conflict)
            .Allows(AccessKind.Operate);
        routes.MapPost("/v1/customer-tokens", CreateTokenAsync)
            .Describe(Tag, "CreateCustomerToken", "Makes a token with which a customer's browser may read that customer's usage")
            .Takes<CustomerTokenRequest>()
            .Allows(AccessKind.Change, Scopes.UsageWrite);
    }

    private static async Task<KeyList> ListKeysAsync(HttpContext context, IdentityCalls identity)
    {
        var request = new ListKeysRequest { TenantId = TenantIn(context) };
        var found = await identity.ListKeysAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new KeyList([.. found.Keys.Select(KeyAnswer.Of)]);
    }

    private static async Task<Created<CreatedKey>> CreateKeyAsync(HttpContext context, IdentityCalls identity, GatewayOptions options)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, KeyMembers).ConfigureAwait(false);
        var request = new CreateKeyRequest
        {
            TenantId = body.Tenant(), Name = body.Text("name") ?? "", ProjectId = body.Text("projectId") ?? "", Test = body.Flag("test") ?? false,
        };
        request.Scopes.AddRange(body.Texts("scopes"));
        if (body.Text("expiresAt") is { } text)
        {
            if (TimeText.Reason(InstantText.Read(text, out var expires)) is { } reason)
                body.Add("expiresAt", reason);
            request.ExpireTime = expires.ToTimestamp();
        }

        body.Check();
        var created = await identity.CreateKeyAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return TypedResults.Created(PathOf(created.Key), new CreatedKey(created.Secret, KeyAnswer.Of(created.Key)));
    }

    private static async Task<CreatedKey> RotateKeyAsync(string id, HttpContext context, IdentityCalls identity, GatewayOptions options)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, RotationMembers).ConfigureAwait(false);
        var request = new RotateKeyRequest { TenantId = body.Tenant(), Id = id, Overlap = Seconds(body, "overlapSeconds") };
        body.Check();
        var rotated = await identity.RotateKeyAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new CreatedKey(rotated.Secret, KeyAnswer.Of(rotated.Key));
    }

    private static async Task<RevokedKey> RevokeKeyAsync(string id, HttpContext context, IdentityCalls identity, GatewayOptions options)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, RevocationMembers).ConfigureAwait(false);
        var request = new RevokeKeyRequest { TenantId = body.Tenant(), Id = id };
        body.Check();
        var revoked = await identity.RevokeKeyAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new RevokedKey(KeyAnswer.Of(revoked.Key));
    }

    private static async Task<ProjectList> ListProjectsAsync(HttpContext context, IdentityCalls identity)
    {
        var request = new ListProjectsRequest { TenantId = TenantIn(context) };
        var found = await identity.ListProjectsAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new ProjectList([.. found.Projects.Select(ProjectAnswer.Of)]);
    }

    private static async Task<Created<ProjectAnswer>> CreateProjectAsync(HttpContext context, IdentityCalls identity, GatewayOptions options)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, ProjectMembers).ConfigureAwait(false);
        var request = new CreateProjectRequest
        {
            TenantId = body.Tenant(), Id = body.Text("id", required: true) ?? "", Name = body.Text("name") ?? "",
        };
        body.Check();
        var created = await identity.CreateProjectAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return TypedResults.Created(Projects, ProjectAnswer.Of(created.Project));
    }

    private static async Task<OrganisationList> ListOrganisationsAsync(HttpContext context, IdentityCalls identity)
    {
        var query = new QueryReader(context);
        var request = new ListOrganisationsRequest { PageSize = query.Read(Limit), PageToken = query.Text(CommonParameters.Cursor) };
        query.Check();
        var page = await identity.ListOrganisationsAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return new OrganisationList(
            [.. page.Organisations.Select(OrganisationAnswer.Of)], page.NextPageToken.OrNull());
    }

    private static async Task<Created<CreatedOrganisation>> CreateOrganisationAsync(
        HttpContext context, IdentityCalls identity, GatewayOptions options)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, OrganisationMembers).ConfigureAwait(false);
        var request = new CreateOrganisationRequest { Id = body.Text("id", required: true) ?? "", Name = body.Text("name") ?? "" };
        body.Check();
        var created = await identity.CreateOrganisationAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return TypedResults.Created(
            Organisations, new CreatedOrganisation(OrganisationAnswer.Of(created.Organisation), created.Secret, KeyAnswer.Of(created.Key)));
    }

    private static async Task<Created<CustomerToken>> CreateTokenAsync(HttpContext context, IdentityCalls identity, GatewayOptions options)
    {
        using var body = await JsonBody.ReadAsync(context, options.BodyBytes, TokenMembers).ConfigureAwait(false);
        var request = new CreateCustomerTokenRequest
        {
            TenantId = body.Tenant(), CustomerRef = body.Text("customerRef", required: true) ?? "", Lifetime = Seconds(body, "lifetimeSeconds"),
        };
        body.Check();
        var token = await identity.CreateCustomerTokenAsync(request, cancellationToken: context.RequestAborted).ConfigureAwait(false);
        return TypedResults.Created((string?)null, new CustomerToken(token.Token, RestTime.Write(token.ExpireTime)));
    }

    private static string TenantIn(HttpContext context)
    {
        var query = new QueryReader(context);
        var tenant = query.Text(CommonParameters.Tenant);
        query.Check();
        return tenant;
    }

    private static Duration? Seconds(JsonBody body, string name)
    {
        if (body.Decimal(name) is not { } text)
            return null;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            return new Duration { Seconds = seconds };
        body.Add(name, "must be a whole number of seconds");
        return null;
    }

    private static string PathOf(V1.ApiKey key) => $"{Keys}/{key.Id}";
}
