using System.Security.Cryptography;
using System.Text.Json;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Storage.Mongo.Documents;

/// <summary>What is to be counted anew of a shard: a document each, so that none grows.</summary>
internal sealed class RecountDocument
{
    public required string Id { get; init; }

    public required string Tenant { get; init; }

    public required int Shard { get; init; }

    public required string LogId { get; init; }

    public required long Recut { get; init; }

    public required string Customer { get; init; }

    public required string Metric { get; init; }

    public required long From { get; init; }

    public required long To { get; init; }

    public required string Session { get; init; }

    public static RecountDocument Of(TenantId tenant, int shard, RecountItem item) => new()
    {
        Id = IdOf(tenant, shard, item), Tenant = tenant.Value, Shard = shard, LogId = item.LogId, Recut = item.Recut,
        Customer = item.Scope.Customer, Metric = item.Scope.Metric, From = item.Scope.From.Ticks, To = item.Scope.To.Ticks,
        Session = item.Scope.Session,
    };

    public RecountItem ToItem() =>
        new(LogId, Recut, new RecountScope(Customer, Metric, new Instant(From), new Instant(To), Session));

    /// <summary>Says log and scope; texts of any length go in as their hash.</summary>
    public static string IdOf(TenantId tenant, int shard, RecountItem item)
    {
        var hash = SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(new { item.LogId, item.Scope }));
        return $"{DocumentId.Of(tenant, shard)}/{Convert.ToHexStringLower(hash)}";
    }
}
