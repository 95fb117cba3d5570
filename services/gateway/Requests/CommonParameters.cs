using StripeMeter.Gateway.Access;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Gateway.Requests;

/// <summary>Parameters that several routes have.</summary>
internal static class CommonParameters
{
    private const int NameLength = 255;
    private const int MetricLength = 100;
    private const int CursorLength = 4_096;

    public static readonly TextParameter Tenant =
        new(CallerTenant.Name, "The tenant. A caller with a key may leave it out.", TenantId.MaximumLength)
        {
            Required = true, WhenAbsent = static () => CallerTenant.Own,
        };

    public static readonly TextParameter Metric = new("metric", "Only this metric.", MetricLength);

    public static readonly TextParameter RequiredMetric = new("metric", "The metric.", MetricLength) { Required = true };

    public static readonly TextParameter Customer = new("customerRef", "Only this customer.", NameLength);

    public static readonly TextParameter RequiredCustomer =
        new("customerRef", "The customer, as the tenant names it.", NameLength) { Required = true };

    public static readonly TextParameter Cursor =
        new("cursor", "Where to go on: `nextCursor` of the answer before. Opaque.", CursorLength);

    public static IntegerParameter Limit(int maximum, int normal) =>
        new("limit", "Most entries of one answer.", 1, maximum) { Default = normal };
}
