using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Storage.Mongo.Documents;

/// <summary>The head of a shard.</summary>
internal sealed class ShardDocument
{
    public required string Id { get; init; }

    public required string Tenant { get; init; }

    public required int Shard { get; init; }

    public required string LogId { get; init; }

    public required long Head { get; init; }

    public required int Displacements { get; init; }

    public ShardId ToShard() => new(new TenantId(Tenant), Shard);

    public ShardHead ToHead() => new(LogId, Head, Displacements);
}
