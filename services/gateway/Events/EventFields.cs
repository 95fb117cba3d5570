using System.Text;

namespace StripeMeter.Gateway.Events;

/// <summary>Names of an event's fields in REST.</summary>
internal static class EventFields
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

    public static readonly string[] All = [Tenant, Metric, Customer, Quantity, Timestamp, Key, Resource, Meta, Source];

    /// <summary>The same names as they stand in a body.</summary>
    public static readonly byte[][] Utf8 = Array.ConvertAll(All, Encoding.UTF8.GetBytes);
}
