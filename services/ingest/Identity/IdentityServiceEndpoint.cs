using System.Security.Cryptography;
using Grpc.Core;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Ingest.Controlling;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.V1;
using ApiKey = StripeMeter.Metering.Identity.ApiKey;
using DomainOrganisation = StripeMeter.Metering.Identity.Organisation;
using DomainProject = StripeMeter.Metering.Identity.Project;

namespace StripeMeter.Ingest.Identity;

/// <summary>Organisations, projects and keys. Keys are made here and shown once; what is kept is their hash.</summary>
public sealed class IdentityServiceEndpoint(IMeterStore store, IServiceProvider services, TimeProvider clock)
    : IdentityService.IdentityServiceBase
{
    private const string FirstKeyName = "First key";
    private const string DefaultKeyName = "New API Key";
    private readonly IKeySource? _keys = services.GetService<IKeySource>();

    private Instant Now => Instant.Of(clock.GetUtcNow());

    private static string Actor => Call.Current?.Principal.Name ?? Principal.System.Name;

    [Access(AccessKind.Operate)]
    public override async Task<CreateOrganisationResponse> CreateOrganisation(CreateOrganisationRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.Id, "id");
        var name = ControlFields.Text("name", request.Name, ControlFields.NameLength);
        var organisation = new DomainOrganisation(tenant, name.Length > 0 ? name : tenant.Value, Now);

        var (secret, key) = NewKey(FirstKeyName, "", Scopes.Default, livemode: true, expires: null);

        // An operator reaches no tenant's data; what follows makes the tenant.
        Call.NoteTenant(tenant);
        using var system = Call.ActAs(Principal.System);
        if (!await new OrganisationBook(store).AddAsync(organisation, context.CancellationToken).ConfigureAwait(false))
            throw RpcErrors.AlreadyExists("ORGANISATION_EXISTS", $"The organisation '{tenant}' exists.");
        await KeepAsync(tenant, key, context.CancellationToken).ConfigureAwait(false);
        return new CreateOrganisationResponse { Organisation = organisation.ToWire(), Secret = secret, Key = key.ToWire(Now) };
    }

    [Access(AccessKind.Read, Scopes.OperatorWrite)]
    public override async Task<ListOrganisationsResponse> ListOrganisations(ListOrganisationsRequest request, ServerCallContext context)
    {
        var limit = ControlFields.PageSize(request.PageSize, IdentityLimits.NormalPage, IdentityLimits.MaximumPage);
        var caller = Call.Current?.Principal ?? Principal.Nobody;
        var response = new ListOrganisationsResponse();
        using var system = Call.ActAs(Principal.System);
        var book = new OrganisationBook(store);
        if (!caller.Scopes.HasFlag(Scopes.OperatorWrite))
        {
            if (caller.OwnTenant is { } own && await book.GetAsync(own, context.CancellationToken).ConfigureAwait(false) is { } organisation)
                response.Organisations.Add(organisation.ToWire());
            return response;
        }

        string? after = null;
        if (request.PageToken.Length > 0 && !PageToken.TryRead(request.PageToken, out after))
            throw RpcErrors.Invalid("page_token", "is not one of ours");
        var found = await book.ListAsync(after, limit + 1, context.CancellationToken).ConfigureAwait(false);
        response.Organisations.AddRange(found.Take(limit).Select(WireIdentity.ToWire));
        if (found.Count > limit)
            response.NextPageToken = PageToken.Write(found[limit - 1].Id.Value);
        return response;
    }

    [Access(AccessKind.Change)]
    public override async Task<CreateProjectResponse> CreateProject(CreateProjectRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        if (!DomainProject.IsId(request.Id))
            throw RpcErrors.Invalid("id", $"must be 1 to {DomainProject.MaximumIdLength} lowercase letters, digits and hyphens");
        var name = ControlFields.Text("name", request.Name, ControlFields.NameLength);
        var project = new DomainProject(request.Id, name.Length > 0 ? name : request.Id, Now);
        var book = new OrganisationBook(store);
        if ((await book.ListProjectsAsync(tenant, context.CancellationToken).ConfigureAwait(false)).Count >= OrganisationBook.MaximumProjects)
            throw RpcErrors.FailedPrecondition("TOO_MANY_PROJECTS", $"An organisation has at most {OrganisationBook.MaximumProjects} projects.");
        return await book.AddProjectAsync(tenant, project, context.CancellationToken).ConfigureAwait(false)
            ? new CreateProjectResponse { Project = project.ToWire() }
            : throw RpcErrors.AlreadyExists("PROJECT_EXISTS", $"The project '{project.Id}' exists.");
    }

    [Access(AccessKind.Read)]
    public override async Task<ListProjectsResponse> ListProjects(ListProjectsRequest request, ServerCallContext context)
    {
        var projects = await new OrganisationBook(store).ListProjectsAsync(ControlFields.Tenant(request.TenantId), context.CancellationToken)
            .ConfigureAwait(false);
        var response = new ListProjectsResponse();
        response.Projects.AddRange(projects.Select(WireIdentity.ToWire));
        return response;
    }

    [Access(AccessKind.Change)]
    public override async Task<CreateKeyResponse> CreateKey(CreateKeyRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        var name = ControlFields.Text("name", request.Name, ControlFields.NameLength);
        var scopes = WireIdentity.ReadScopes(request.Scopes);
        RefuseScopesOfOthers(scopes);
        if (request.ProjectId.Length > 0
            && !await new OrganisationBook(store).HasProjectAsync(tenant, request.ProjectId, context.CancellationToken).ConfigureAwait(false))
        {
            throw RpcErrors.Invalid("project_id", "is no project of the organisation");
        }

        var expires = WireIdentity.ReadExpiry(request.ExpireTime, Now);
        var (secret, key) = NewKey(name.Length > 0 ? name : DefaultKeyName, request.ProjectId, scopes, !request.Test, expires);
        await KeepAsync(tenant, key, context.CancellationToken).ConfigureAwait(false);
        return new CreateKeyResponse { Secret = secret, Key = key.ToWire(Now) };
    }

    [Access(AccessKind.Read)]
    public override async Task<ListKeysResponse> ListKeys(ListKeysRequest request, ServerCallContext context)
    {
        var keys = await BookOf(ControlFields.Tenant(request.TenantId)).ListAsync(context.CancellationToken).ConfigureAwait(false);
        var response = new ListKeysResponse();
        response.Keys.AddRange(keys.Select(key => key.ToWire(Now)));
        return response;
    }

    [Access(AccessKind.Change)]
    public override async Task<RotateKeyResponse> RotateKey(RotateKeyRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        var overlap = WireIdentity.ReadSpan("overlap", request.Overlap, TimeSpan.Zero, IdentityLimits.MaximumOverlap, IdentityLimits.NormalOverlap);
        var old = await FindAsync(tenant, request.Id, context.CancellationToken).ConfigureAwait(false);
        RefuseScopesOfOthers(old.Scopes);
        Call.NoteBefore(old.ToWire(Now));
        if (!old.IsCurrent(Now))
            throw NotInUse(old.Id);
        var (secret, key) = NewKey(old.Name, old.Project, old.Scopes, ApiKeyText.IsLive(old.Id), expires: null);
        // One that was to end ends again, after as long a life, or with time itself.
        if (old.Expires is { } end)
            key = key with { Expires = Instant.Min(key.Created + (end - old.Created), Instant.Maximum) };

        Refuse(await BookOf(tenant).ReplaceAsync(old.Id, key, Now + overlap, Now, context.CancellationToken).ConfigureAwait(false), old);
        return new RotateKeyResponse { Secret = secret, Key = key.ToWire(Now) };
    }

    [Access(AccessKind.Change)]
    public override async Task<RevokeKeyResponse> RevokeKey(RevokeKeyRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        var old = await FindAsync(tenant, request.Id, context.CancellationToken).ConfigureAwait(false);
        Call.NoteBefore(old.ToWire(Now));
        await BookOf(tenant).RevokeAsync(old.Id, Now, context.CancellationToken).ConfigureAwait(false);
        var revoked = await FindAsync(tenant, request.Id, context.CancellationToken).ConfigureAwait(false);
        return new RevokeKeyResponse { Key = revoked.ToWire(Now) };
    }

    [Access(AccessKind.Change, Scopes.UsageWrite)]
    public override async Task<CreateCustomerTokenResponse> CreateCustomerToken(CreateCustomerTokenRequest request, ServerCallContext context)
    {
        var tenant = ControlFields.Tenant(request.TenantId);
        var customer = ControlFields.Customer(request.CustomerRef);
        var lifetime = WireIdentity.ReadSpan(
            "lifetime", request.Lifetime, IdentityLimits.ShortestToken, IdentityLimits.LongestToken, IdentityLimits.NormalToken);
        if (services.GetService<KeySecret>() is not { } secret)
            throw RpcErrors.FailedPrecondition("NO_AUTHENTICATION", "This installation runs without authentication; set API_KEY_SALT.");
        var expires = Now + lifetime;
        await Call.BeginChangeAsync(tenant, context.CancellationToken).ConfigureAwait(false);
        var token = Credentials.CustomerTokens(secret).Write(new CustomerClaims(tenant.Value, customer, Actor), expires);
        return new CreateCustomerTokenResponse { Token = token, ExpireTime = expires.ToTimestamp() };
    }

    [Access(AccessKind.Internal)]
    public override async Task<VerifyKeyResponse> VerifyKey(VerifyKeyRequest request, ServerCallContext context)
    {
        var found = _keys is null ? null : await _keys.VerifyAsync(request.Secret, context.CancellationToken).ConfigureAwait(false);
        if (found?.Principal.OwnTenant is not { } tenant || !ApiKeyText.TryReadId(request.Secret, out var id))
            throw RpcErrors.NotFound("The key");
        var response = new VerifyKeyResponse
        {
            TenantId = tenant.Value, Id = id, ProjectId = found.Principal.Project, ExpireTime = found.Expires?.ToTimestamp(),
        };
        response.Scopes.AddRange(ScopeNames.Of(found.Principal.Scopes));
        return response;
    }

    private static RpcException NotInUse(string id) => RpcErrors.FailedPrecondition("KEY_NOT_IN_USE", $"The key {id} is not in use any more.");

    private static void RefuseScopesOfOthers(Scopes scopes)
    {
        var own = ScopeNames.Grantable(Call.Current?.Principal.Scopes ?? Scopes.None);
        if ((scopes & ~own) is var missing && missing != Scopes.None)
            throw RpcErrors.PermissionDenied($"A key cannot give what it has not: {string.Join(',', ScopeNames.Of(missing))}");
    }

    private (string Secret, ApiKey Key) NewKey(string name, string project, Scopes scopes, bool livemode, Instant? expires)
    {
        var secret = ApiKeyText.Create(livemode, RandomNumberGenerator.GetBytes(ApiKeyText.RandomBytes));
        ApiKeyText.TryReadId(secret, out var id);
        if (services.GetService<KeySecret>() is not { } hashing)
            throw RpcErrors.FailedPrecondition("NO_AUTHENTICATION", "This installation runs without authentication; set API_KEY_SALT.");
        return (secret, new ApiKey(id!, hashing.HashOf(secret), name, project, scopes, Now, Actor) { Expires = expires });
    }

    private async Task KeepAsync(TenantId tenant, ApiKey key, CancellationToken cancellation) =>
        Refuse(await BookOf(tenant).AddAsync(key, Now, cancellation).ConfigureAwait(false), key);

    private static void Refuse(KeyChange change, ApiKey key)
    {
        switch (change)
        {
            case KeyChange.NameTaken:
                throw RpcErrors.AlreadyExists("KEY_NAME_TAKEN", $"Another key in use is named '{key.Name}'.");
            case KeyChange.TooMany:
                throw RpcErrors.FailedPrecondition("TOO_MANY_KEYS", $"An organisation has at most {KeyBook.MaximumKeys} keys in use.");
            case KeyChange.NotUsable or KeyChange.NotFound:
                throw NotInUse(key.Id);
        }
    }

    private async Task<ApiKey> FindAsync(TenantId tenant, string id, CancellationToken cancellation) =>
        await BookOf(tenant).GetAsync(id, cancellation).ConfigureAwait(false) ?? throw RpcErrors.NotFound($"The key '{id}'");

    private KeyBook BookOf(TenantId tenant) => new(store.Of(tenant).Documents, DirectoryOfKeys(), tenant);

    /// <summary>Callers reach what is theirs; that their keys are entered in the directory is the system's doing.</summary>
    private IDocuments DirectoryOfKeys()
    {
        using var system = Call.ActAs(Principal.System);
        return store.Directory;
    }
}
