using System.Globalization;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Storage.Mongo.Documents;

/// <summary>
/// Ids of documents, as readable paths. A slash in a tenant's name is written otherwise, so that the ids of one tenant or
/// shard are a range in which no other's lie.
/// </summary>
internal static class DocumentId
{
    // As many digits as the greatest position has, so that ids sort as positions do.
    private const string Padding = "D19";

    public static string Of(TenantId tenant, string name) => Of(tenant.Value, name);

    /// <summary>Of a tenant, or of nobody: then the owner is empty.</summary>
    public static string Of(string owner, string name) => $"{Escape(owner)}/{name}";

    public static string Of(TenantId tenant, int shard) => Prefix(tenant) + shard.ToString(CultureInfo.InvariantCulture);

    public static string Of(ShardId shard) => Of(shard.Tenant, shard.Shard);

    public static string Of(TenantId tenant, int shard, long position) =>
        $"{Of(tenant, shard)}/{position.ToString(Padding, CultureInfo.InvariantCulture)}";

    /// <summary>Where the ids of a tenant begin.</summary>
    public static string Prefix(TenantId tenant) => Escape(tenant.Value) + "/";

    /// <summary>Behind the last id of a tenant: 0 follows the slash.</summary>
    public static string End(TenantId tenant) => Escape(tenant.Value) + "0";

    private static string Escape(string name) =>
        name.Replace("%", "%25", StringComparison.Ordinal).Replace("/", "%2F", StringComparison.Ordinal);
}
