using System.Collections.Frozen;

namespace StripeMeter.Metering.Identity;

/// <summary>What a caller may do. The names are those of the API; a set of them is a value of this type.</summary>
[Flags]
public enum Scopes
{
    None = 0,
    ProjectRead = 1 << 0,
    ProjectWrite = 1 << 1,
    EventsRead = 1 << 2,
    EventsWrite = 1 << 3,
    UsageRead = 1 << 4,
    UsageWrite = 1 << 5,
    MappingsRead = 1 << 6,
    MappingsWrite = 1 << 7,
    ReconciliationRead = 1 << 8,
    ReconciliationWrite = 1 << 9,
    AlertsRead = 1 << 10,
    AlertsWrite = 1 << 11,
    SimulationRead = 1 << 12,
    SimulationWrite = 1 << 13,

    /// <summary>Manages organisations: of the installation, not of a tenant.</summary>
    OperatorWrite = 1 << 14,

    /// <summary>Every scope that reads.</summary>
    Reading = ProjectRead | EventsRead | UsageRead | MappingsRead | ReconciliationRead | AlertsRead | SimulationRead,

    /// <summary>Every scope that writes a tenant's data.</summary>
    Writing = ProjectWrite | EventsWrite | UsageWrite | MappingsWrite | ReconciliationWrite | AlertsWrite | SimulationWrite,

    /// <summary>What a tenant's key may have.</summary>
    OfTenants = Reading | Writing,

    /// <summary>What a key has when nothing is said.</summary>
    Default = ProjectRead | ProjectWrite,
}

/// <summary>The names of scopes.</summary>
public static class ScopeNames
{
    private static readonly FrozenDictionary<string, Scopes> ByName = new Dictionary<string, Scopes>
    {
        ["project:read"] = Scopes.ProjectRead,
        ["project:write"] = Scopes.ProjectWrite,
        ["events:read"] = Scopes.EventsRead,
        ["events:write"] = Scopes.EventsWrite,
        ["usage:read"] = Scopes.UsageRead,
        ["usage:write"] = Scopes.UsageWrite,
        ["mappings:read"] = Scopes.MappingsRead,
        ["mappings:write"] = Scopes.MappingsWrite,
        ["reconciliation:read"] = Scopes.ReconciliationRead,
        ["reconciliation:write"] = Scopes.ReconciliationWrite,
        ["alerts:read"] = Scopes.AlertsRead,
        ["alerts:write"] = Scopes.AlertsWrite,
        ["simulation:read"] = Scopes.SimulationRead,
        ["simulation:write"] = Scopes.SimulationWrite,
        ["operator:write"] = Scopes.OperatorWrite,
    }.ToFrozenDictionary();

    /// <summary>Every name, in the order of the values.</summary>
    public static IReadOnlyList<string> All { get; } = [.. ByName.OrderBy(pair => pair.Value).Select(pair => pair.Key)];

    public static bool TryRead(string name, out Scopes scope) => ByName.TryGetValue(name, out scope);

    /// <summary>The names of a set, in the order of the values.</summary>
    public static IReadOnlyList<string> Of(Scopes scopes) => [.. All.Where(name => scopes.HasFlag(ByName[name]))];

    /// <summary>
    /// What a caller may pass on: its own scopes, and the parts of a project it may read or write, for the scope of the
    /// project allows all that those of its parts do.
    /// </summary>
    public static Scopes Grantable(Scopes scopes)
    {
        if (scopes.HasFlag(Scopes.ProjectRead))
            scopes |= Scopes.Reading;
        if (scopes.HasFlag(Scopes.ProjectWrite))
            scopes |= Scopes.Writing;
        return scopes;
    }
}
