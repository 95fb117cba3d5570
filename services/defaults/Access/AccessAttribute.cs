using StripeMeter.Metering.Identity;

namespace StripeMeter.Defaults.Access;

/// <summary>What a route or method does, as far as access is concerned.</summary>
public enum AccessKind
{
    /// <summary>Changes something, which the audit log records. The default.</summary>
    Change,

    /// <summary>Shows something.</summary>
    Read,

    /// <summary>Adds to the ledger, which is its own record.</summary>
    Append,

    /// <summary>Manages the installation, and is recorded.</summary>
    Operate,

    /// <summary>For services among each other.</summary>
    Internal,

    /// <summary>For everyone: health, metrics, documentation, and what proves its caller in its own way.</summary>
    Open,
}

/// <summary>
/// Says which scopes allow a method of a gRPC service, or a REST route; any one does, and the scope of the whole project is
/// among them unless the part is required. What declares nothing is a change that only <c>project:write</c> allows: forgetting is safe.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class AccessAttribute(AccessKind kind, Scopes part = Scopes.None) : Attribute
{
    public static readonly AccessAttribute Undeclared = new(AccessKind.Change);

    /// <summary>What a REST route that reads needs when it declares nothing.</summary>
    public static readonly AccessAttribute UndeclaredRead = new(AccessKind.Read);

    public AccessKind Kind { get; } = kind;

    public Scopes Part { get; } = part;

    /// <summary>Whether the scope of the part is needed itself: that of the whole project does not do.</summary>
    public bool IsPartRequired { get; init; }

    /// <summary>Whether a customer's token does too, for that customer.</summary>
    public bool ForCustomers { get; init; }

    /// <summary>Whether it goes into the audit log.</summary>
    public bool IsRecorded => Kind is AccessKind.Change or AccessKind.Operate;

    /// <summary>Those of which one is needed.</summary>
    public Scopes Alternatives => Kind switch
    {
        _ when IsPartRequired => Part,
        AccessKind.Read => Scopes.ProjectRead | Part,
        AccessKind.Change or AccessKind.Append => Scopes.ProjectWrite | Part,
        AccessKind.Operate => Scopes.OperatorWrite,
        _ => Scopes.None,
    };

    /// <summary>Whether a caller with a key or token of its own may.</summary>
    public bool Allows(Principal caller)
    {
        ArgumentNullException.ThrowIfNull(caller);
        return caller.Customer.Length > 0 ? ForCustomers : (caller.Scopes & Alternatives) != Scopes.None;
    }

    /// <summary>Why it may not, in the words that clients know.</summary>
    public string Refusal => Kind == AccessKind.Internal
        ? "Only services of the installation may call this."
        : $"Require one of: {string.Join(',', ScopeNames.Of(Alternatives))}";
}
