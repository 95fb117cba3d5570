using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Pusher;

/// <summary>Reads the fields that requests have in common.</summary>
internal static class Requests
{
    private const int DefaultPageSize = 100;
    private const int MaximumPageSize = 1_000;

    public static TenantId Tenant(string value, string field = "tenant_id") => TenantId.IsValid(value)
        ? new TenantId(value)
        : throw RpcErrors.Invalid(field, $"must have 1 to {TenantId.MaximumLength} printable characters");

    public static string Id(string value) => value.Length > 0 ? value : throw RpcErrors.Invalid("id", "is required");

    public static int PageSize(int value) => value switch
    {
        0 => DefaultPageSize,
        < 0 or > MaximumPageSize => throw RpcErrors.Invalid("page_size", $"must be 0 to {MaximumPageSize}"),
        _ => value,
    };

    /// <summary>The cursor in a page token; null if there is none.</summary>
    public static T? Cursor<T>(string pageToken) where T : class
    {
        T? cursor = null;
        return pageToken.Length == 0 || PageToken.TryRead(pageToken, out cursor)
            ? cursor
            : throw RpcErrors.Invalid("page_token", "is not one that a listing gave");
    }
}
