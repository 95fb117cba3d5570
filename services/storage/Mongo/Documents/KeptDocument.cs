namespace StripeMeter.Storage.Mongo.Documents;

/// <summary>A document of a tenant beside its ledger.</summary>
internal sealed class KeptDocument
{
    public required string Id { get; init; }

    public required int Kind { get; init; }

    public required string Tenant { get; init; }

    /// <summary>Its id within tenant and kind.</summary>
    public required string Name { get; init; }

    public required long Revision { get; init; }

    /// <summary>JSON text.</summary>
    public required string Body { get; init; }
}
