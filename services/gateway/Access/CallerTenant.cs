using StripeMeter.Defaults.Access;
using StripeMeter.Gateway.Errors;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Gateway.Access;

/// <summary>The tenant that requests name, held against the one that calls. What is left out is the caller's own.</summary>
internal static class CallerTenant
{
    /// <summary>Name of the tenant in queries and bodies.</summary>
    public const string Name = "tenantId";

    /// <summary>The caller's tenant; null if it could be several.</summary>
    public static string? Own => Call.Current?.Principal.OwnTenant?.Value;

    /// <summary>Whether the caller may name a tenant. What is no tenant id is refused elsewhere, field and reason.</summary>
    public static bool MayName(string tenant) =>
        Call.Current is not { } call || tenant.Length == 0 || !TenantId.IsValid(tenant) || call.Principal.Reaches(new TenantId(tenant));

    /// <summary>A tenant in the address must be the caller's, and must not hide another one in the body.</summary>
    /// <exception cref="ProblemException">The body names another tenant than the address, or than the caller's.</exception>
    public static void CheckBody(HttpContext context, string? inBody)
    {
        if (inBody is not { Length: > 0 })
            return;
        if (!MayName(inBody))
            throw new ProblemException(Problem.Forbidden("Mismatched tenantId"));
        var inAddress = context.Request.Query[Name].ToString();
        if (inAddress.Length > 0 && inAddress != inBody)
            throw new ProblemException(Problem.Invalid(Name, "must be the same in the address and in the body"));
    }
}
