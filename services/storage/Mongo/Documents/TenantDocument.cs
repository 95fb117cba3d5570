namespace StripeMeter.Storage.Mongo.Documents;

/// <summary>A tenant that was seen.</summary>
internal sealed class TenantDocument
{
    /// <summary>The tenant's name.</summary>
    public required string Id { get; init; }

    public required int ShardCount { get; init; }
}
