using System.Collections.Frozen;
using System.Text;

namespace StripeMeter.EventFormats;

/// <summary>Names of an event's fields in JSON.</summary>
public static class EventFields
{
    public const string Tenant = "tenantId";
    public const string Metric = "metric";
    public const string Customer = "customerRef";
    public const string Resource = "resourceId";
    public const string Quantity = "quantity";
    public const string Timestamp = "ts";
    public const string Meta = "meta";
    public const string Key = "idempotencyKey";
    public const string Source = "source";

    internal static readonly string[] All = [Tenant, Metric, Customer, Quantity, Timestamp, Key, Resource, Meta, Source];

    private static readonly FrozenDictionary<string, string> Wire = new Dictionary<string, string>
    {
        [Tenant] = "tenant_id",
        [Customer] = "customer_ref",
        [Resource] = "resource_id",
        [Timestamp] = "timestamp",
        [Key] = "idempotency_key",
    }.ToFrozenDictionary();

    /// <summary>The name in the protocol of a name in JSON.</summary>
    public static string ToWire(string name) => Wire.GetValueOrDefault(name, name);

    /// <summary>The same names as they stand in a body.</summary>
    internal static readonly byte[][] Utf8 = Array.ConvertAll(All, Encoding.UTF8.GetBytes);
}
