using Google.Protobuf.WellKnownTypes;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Ingest.Controlling;

/// <summary>Reads the fields that requests for control records have in common.</summary>
internal static class ControlFields
{
    /// <summary>Characters of an actor, of a request's own name, and of ids.</summary>
    public const int NameLength = 255;

    private static readonly EventLimits Limits = new();

    public static TenantId Tenant(string value, string field = "tenant_id") => TenantId.IsValid(value)
        ? new TenantId(value)
        : throw RpcErrors.Invalid(field, $"must have 1 to {TenantId.MaximumLength} printable characters");

    public static string Metric(string value) => Required("metric", value, Limits.MetricLength);

    public static string Customer(string value) => Required("customer_ref", value, Limits.CustomerLength);

    public static string Required(string field, string value, int maximumLength) =>
        value.Length > 0 ? Text(field, value, maximumLength) : throw RpcErrors.Invalid(field, "is required");

    public static string Text(string field, string value, int maximumLength) => value.Length <= maximumLength
        ? value
        : throw RpcErrors.Invalid(field, $"must have at most {maximumLength} characters");

    public static Instant? Time(string field, Timestamp? timestamp)
    {
        if (timestamp is null)
            return null;
        var problem = timestamp.TryToInstant(out var instant);
        return problem is null ? instant : throw RpcErrors.Invalid(field, problem);
    }

    public static Instant RequiredTime(string field, Timestamp? timestamp) =>
        Time(field, timestamp) ?? throw RpcErrors.Invalid(field, "is required");

    public static int PageSize(int value, int normal, int maximum) => value switch
    {
        0 => normal,
        < 0 => throw RpcErrors.Invalid("page_size", $"must be 0 to {maximum}"),
        _ when value > maximum => throw RpcErrors.Invalid("page_size", $"must be 0 to {maximum}"),
        _ => value,
    };

    /// <param name="field">What the refusal names.</param>
    /// <param name="token">Empty: none.</param>
    /// <param name="isSound">Whether what was read can be one that an answer gave; null: always.</param>
    public static T? Cursor<T>(string field, string token, Func<T, bool>? isSound = null) where T : class
    {
        if (token.Length == 0)
            return null;
        return PageToken.TryRead<T>(token, out var cursor) && isSound?.Invoke(cursor!) != false
            ? cursor
            : throw RpcErrors.Invalid(field, "is not one that an answer gave");
    }
}
