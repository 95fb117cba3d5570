using StripeMeter.Gateway.Requests;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Administration;

/// <summary>An API key to be made.</summary>
/// <param name="TenantId">The organisation. With a key of its own it may be left out.</param>
/// <param name="Name">For people; default: New API Key.</param>
/// <param name="ProjectId">A project of the organisation.</param>
/// <param name="Scopes">What it may do; default: project:read and project:write.</param>
/// <param name="Test">Whether the key says test instead of live.</param>
/// <param name="ExpiresAt">From when on it is refused. RFC 3339.</param>
public sealed record KeyRequest(
    string? TenantId, string? Name, string? ProjectId, IReadOnlyList<string>? Scopes, bool? Test, string? ExpiresAt);

/// <summary>A key to be replaced.</summary>
/// <param name="TenantId">The organisation. With a key of its own it may be left out.</param>
/// <param name="OverlapSeconds">How long the old key still serves, 0 to 2,592,000; default: 86,400.</param>
public sealed record RotationRequest(string? TenantId, int? OverlapSeconds);

/// <summary>A key to be ended.</summary>
/// <param name="TenantId">The organisation. With a key of its own it may be left out.</param>
public sealed record RevocationRequest(string? TenantId);

/// <summary>A project to be added.</summary>
/// <param name="TenantId">The organisation. With a key of its own it may be left out.</param>
/// <param name="Id">1 to 64 lowercase letters, digits and hyphens.</param>
/// <param name="Name">For people; default: the id.</param>
public sealed record NewProject(string? TenantId, string Id, string? Name);

/// <summary>An organisation to be recorded.</summary>
/// <param name="Id">The tenant id that its events and requests name.</param>
/// <param name="Name">For people; default: the id.</param>
public sealed record NewOrganisation(string Id, string? Name);

/// <summary>A customer's token to be made.</summary>
/// <param name="TenantId">The tenant. With a key of its own it may be left out.</param>
/// <param name="CustomerRef">The customer whose usage may be read.</param>
/// <param name="LifetimeSeconds">60 to 86,400; default: 3,600.</param>
public sealed record CustomerTokenRequest(string? TenantId, string CustomerRef, int? LifetimeSeconds);

/// <summary>A key that was just made.</summary>
/// <param name="ApiKey">The key. Shown here and never again.</param>
/// <param name="Key">As it may be shown.</param>
public sealed record CreatedKey(string ApiKey, KeyAnswer Key);

/// <summary>A key that was ended.</summary>
/// <param name="Key">As it may be shown.</param>
public sealed record RevokedKey(KeyAnswer Key);

/// <summary>The keys of an organisation.</summary>
public sealed record KeyList(IReadOnlyList<KeyAnswer> ApiKeys);

/// <summary>The projects of an organisation.</summary>
public sealed record ProjectList(IReadOnlyList<ProjectAnswer> Projects);

/// <summary>A page of organisations.</summary>
/// <param name="Organisations">For operators all, for others their own.</param>
/// <param name="NextCursor">Where the next page begins. Absent on the last.</param>
public sealed record OrganisationList(IReadOnlyList<OrganisationAnswer> Organisations, string? NextCursor);

/// <summary>An organisation and its first key.</summary>
/// <param name="Organisation">As recorded.</param>
/// <param name="ApiKey">Its first key. Shown here and never again.</param>
/// <param name="Key">That key, as it may be shown.</param>
public sealed record CreatedOrganisation(OrganisationAnswer Organisation, string ApiKey, KeyAnswer Key);

/// <summary>A token for a customer's browser.</summary>
/// <param name="Token">Sent as a key is.</param>
/// <param name="ExpiresAt">When it ends.</param>
public sealed record CustomerToken(string Token, string? ExpiresAt);

/// <summary>An organisation.</summary>
/// <param name="Id">Its tenant id.</param>
/// <param name="Name">For people.</param>
/// <param name="CreatedAt">When it was recorded.</param>
public sealed record OrganisationAnswer(string Id, string Name, string? CreatedAt)
{
    public static OrganisationAnswer Of(Organisation organisation) =>
        new(organisation.Id, organisation.Name, RestTime.Write(organisation.CreateTime));
}

/// <summary>A project.</summary>
/// <param name="Id">Names it within its organisation.</param>
/// <param name="Name">For people.</param>
/// <param name="CreatedAt">When it was added.</param>
public sealed record ProjectAnswer(string Id, string Name, string? CreatedAt)
{
    public static ProjectAnswer Of(Project project) => new(project.Id, project.Name, RestTime.Write(project.CreateTime));
}

/// <summary>An API key as it may be shown: neither the key nor its hash.</summary>
/// <param name="Id">What stands before the dot of the key.</param>
/// <param name="Name">For people.</param>
/// <param name="ProjectId">The project it was made for.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="Livemode">Whether it says that it is a live key.</param>
/// <param name="Active">Whether it is accepted now.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="CreatedBy">By whom.</param>
/// <param name="ExpiresAt">From when on it is refused.</param>
/// <param name="RevokedAt">When it was revoked.</param>
/// <param name="LastUsedAt">About when it was last used, at most a minute behind.</param>
/// <param name="ReplacedBy">The key that takes its place.</param>
public sealed record KeyAnswer(
    string Id, string Name, string? ProjectId, IReadOnlyList<string> Scopes, bool Livemode, bool Active, string? CreatedAt,
    string CreatedBy, string? ExpiresAt, string? RevokedAt, string? LastUsedAt, string? ReplacedBy)
{
    public static KeyAnswer Of(ApiKey key) => new(
        key.Id, key.Name, key.ProjectId.OrNull(), [.. key.Scopes], key.Livemode, key.Usable,
        RestTime.Write(key.CreateTime), key.Creator, RestTime.Write(key.ExpireTime), RestTime.Write(key.RevokeTime),
        RestTime.Write(key.LastUseTime), key.ReplacedBy.OrNull());
}
