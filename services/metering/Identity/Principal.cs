using StripeMeter.Metering.Tenants;

namespace StripeMeter.Metering.Identity;

/// <summary>Who calls, as far as it was proven.</summary>
public sealed record Principal
{
    /// <summary>Nobody: what an unproven request is.</summary>
    public static Principal Nobody { get; } = new() { Name = "nobody" };

    /// <summary>Whoever reaches an installation that runs without authentication.</summary>
    public static Principal Development { get; } = new() { Name = "development", ReachesAll = true, Scopes = Scopes.OfTenants | Scopes.OperatorWrite };

    /// <summary>The system itself: its services among each other, and their sidecars.</summary>
    public static Principal System { get; } = Internal("system");

    /// <summary>What records and the audit log name: <c>api:</c> and the id of a key, or <c>customer:</c> and who made the token.</summary>
    public required string Name { get; init; }

    /// <summary>Tenants whose data it reaches. Requests of several callers may travel in one call.</summary>
    public IReadOnlySet<TenantId> Tenants { get; init; } = new HashSet<TenantId>();

    /// <summary>Whether it reaches every tenant.</summary>
    public bool ReachesAll { get; init; }

    /// <summary>The one customer it may ask about; empty: all of its tenants.</summary>
    public string Customer { get; init; } = "";

    /// <summary>The project a key was made for; empty: none.</summary>
    public string Project { get; init; } = "";

    public Scopes Scopes { get; init; }

    /// <summary>Whether it was proven at all.</summary>
    public bool IsSomebody => ReachesAll || Tenants.Count > 0;

    /// <summary>The tenant that is meant when a request names none; null if it could be several.</summary>
    public TenantId? OwnTenant => !ReachesAll && Tenants.Count == 1 ? Tenants.First() : null;

    public static Principal Internal(string name) => new() { Name = name, ReachesAll = true, Scopes = Scopes.OfTenants };

    public bool Reaches(TenantId tenant) => ReachesAll || Tenants.Contains(tenant);

    /// <summary>Several callers whose requests share a call: it reaches what they reach together, and may do nothing else.</summary>
    public static Principal Together(IReadOnlyCollection<Principal> callers)
    {
        var first = callers.First();
        return callers.All(caller => ReferenceEquals(caller, first))
            ? first
            : new Principal
            {
                Name = "several", ReachesAll = callers.Any(caller => caller.ReachesAll),
                Tenants = callers.SelectMany(caller => caller.Tenants).ToHashSet(),
                Scopes = callers.Aggregate(first.Scopes, (all, caller) => all & caller.Scopes),
            };
    }
}
