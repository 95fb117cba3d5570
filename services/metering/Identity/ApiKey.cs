using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Identity;

/// <summary>An API key as it is kept: never the key itself.</summary>
/// <param name="Id">What stands before the dot of the key.</param>
/// <param name="Hash">Keyed hash of the whole key.</param>
/// <param name="Name">For people. 1 to 255 characters, unique among the keys of its tenant that are in use and not replaced.</param>
/// <param name="Project">The project it was made for; empty: none.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="Created">When it was made.</param>
/// <param name="CreatedBy">By whom.</param>
public sealed record ApiKey(string Id, string Hash, string Name, string Project, Scopes Scopes, Instant Created, string CreatedBy)
{
    /// <summary>From when on it is refused. Null: never.</summary>
    public Instant? Expires { get; init; }

    /// <summary>When it was revoked. Null: it was not.</summary>
    public Instant? Revoked { get; init; }

    /// <summary>About when it was last used, at most a minute behind. Null: never.</summary>
    public Instant? LastUsed { get; init; }

    /// <summary>The key that takes its place; empty: none.</summary>
    public string ReplacedBy { get; init; } = "";

    public bool IsUsable(Instant now) => Revoked is null && (Expires is not { } end || now < end);

    /// <summary>Whether it serves and no other has taken its place.</summary>
    public bool IsCurrent(Instant now) => IsUsable(now) && ReplacedBy.Length == 0;

    public Principal ToPrincipal(TenantId tenant) => new()
    {
        Name = "api:" + Id, Tenants = new HashSet<TenantId> { tenant }, Scopes = Scopes, Project = Project,
    };
}

/// <summary>What a customer token says: one tenant, one customer, reading usage.</summary>
public sealed record CustomerClaims(string Tenant, string Customer, string IssuedBy)
{
    public Principal ToPrincipal() => new()
    {
        Name = "customer:" + IssuedBy, Tenants = new HashSet<TenantId> { new(Tenant) }, Customer = Customer, Scopes = Scopes.UsageRead,
    };
}
