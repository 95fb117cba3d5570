using System.Collections.Frozen;
using StripeMeter.Metering.Events;

namespace StripeMeter.EventFiles;

/// <summary>
/// The fields of an event as files name them: as REST does (<c>customerRef</c>), or as files made for other tools do
/// (<c>customer</c>). Upper and lower case are the same, and underscores do not matter.
/// </summary>
public static class EventColumns
{
    public const string Tenant = "tenant_id";
    public const string Metric = "metric";
    public const string Customer = "customer_ref";
    public const string Resource = "resource_id";
    public const string Quantity = "quantity";
    public const string Timestamp = "timestamp";
    public const string Meta = "meta";
    public const string Key = "idempotency_key";
    public const string Source = "source";

    private static readonly FrozenDictionary<string, string> Fields = new Dictionary<string, string>
    {
        ["tenantid"] = Tenant,
        ["tenant"] = Tenant,
        ["metric"] = Metric,
        ["meter"] = Metric,
        ["customerref"] = Customer,
        ["customer"] = Customer,
        ["resourceid"] = Resource,
        ["resource"] = Resource,
        ["quantity"] = Quantity,
        ["qty"] = Quantity,
        ["ts"] = Timestamp,
        ["timestamp"] = Timestamp,
        ["meta"] = Meta,
        ["idempotencykey"] = Key,
        ["id"] = Key,
        ["source"] = Source,
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, EventSource> Sources = new Dictionary<string, EventSource>
    {
        ["http"] = EventSource.Http,
        ["sdk"] = EventSource.Sdk,
        ["etl"] = EventSource.Etl,
        ["import"] = EventSource.Import,
        ["system"] = EventSource.System,
    }.ToFrozenDictionary();

    /// <summary>The field that a column or member names, in the spelling of the protocol; null if it names none.</summary>
    public static string? FieldOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Fields.GetValueOrDefault(name.Trim().Replace("_", "", StringComparison.Ordinal).ToLowerInvariant());
    }

    /// <summary>A field of the protocol in the spelling of REST: <c>timestamp</c> is <c>ts</c> there.</summary>
    public static string RestName(string field) => field switch
    {
        Tenant => "tenantId",
        Customer => "customerRef",
        Resource => "resourceId",
        Timestamp => "ts",
        Key => "idempotencyKey",
        _ => field,
    };

    /// <summary>The word for a source, as REST has it.</summary>
    public static string Word(EventSource source) => source.ToString().ToLowerInvariant();

    internal static bool TryReadSource(string word, out EventSource source) => Sources.TryGetValue(word, out source);

    internal static string SourceWords => string.Join(", ", Sources.Keys.Order(StringComparer.Ordinal));
}
