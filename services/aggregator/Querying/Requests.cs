using Google.Protobuf.WellKnownTypes;
using StripeMeter.Defaults.Errors;
using StripeMeter.Defaults.Wire;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Aggregator.Querying;

/// <summary>Reads the fields that requests have in common.</summary>
internal static class Requests
{
    private static readonly EventLimits Limits = new();

    public static TenantId Tenant(string value) => TenantId.IsValid(value)
        ? new TenantId(value)
        : throw RpcErrors.Invalid("tenant_id", $"must have 1 to {TenantId.MaximumLength} printable characters");

    public static string Metric(string value) => Required("metric", value, Limits.MetricLength);

    public static string Customer(string value) => Required("customer_ref", value, Limits.CustomerLength);

    public static Instant? Time(string field, Timestamp? timestamp)
    {
        if (timestamp is null)
            return null;
        var problem = timestamp.TryToInstant(out var instant);
        return problem is null ? instant : throw RpcErrors.Invalid(field, problem);
    }

    public static Instant RequiredTime(string field, Timestamp? timestamp) =>
        Time(field, timestamp) ?? throw RpcErrors.Invalid(field, "is required");

    public static int PageSize(int value, int defaultSize, int maximumSize) => value switch
    {
        0 => defaultSize,
        < 0 => throw RpcErrors.Invalid("page_size", $"must be 0 to {maximumSize}"),
        _ when value > maximumSize => throw RpcErrors.Invalid("page_size", $"must be 0 to {maximumSize}"),
        _ => value,
    };

    private static string Required(string field, string value, int maximumLength) => value.Length switch
    {
        0 => throw RpcErrors.Invalid(field, "is required"),
        _ when value.Length > maximumLength => throw RpcErrors.Invalid(field, $"must have at most {maximumLength} characters"),
        _ => value,
    };
}
