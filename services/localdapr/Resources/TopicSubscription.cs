namespace StripeMeter.LocalDapr.Resources;

/// <summary>A subscription of one app, declared in a file (<c>kind: Subscription</c>, v2alpha1) or by the app at
/// <c>/dapr/subscribe</c>.</summary>
public sealed record TopicSubscription
{
    public required string PubSubName { get; init; }

    public required string Topic { get; init; }

    /// <summary>The path of the app that takes the events.</summary>
    public required string Route { get; init; }

    /// <summary>Messages are not CloudEvents; the sidecar wraps them when it delivers.</summary>
    public bool RawPayload { get; init; }

    public string? DeadLetterTopic { get; init; }

    /// <summary>Null: events arrive one by one.</summary>
    public BulkSubscription? Bulk { get; init; }

    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>App ids that hold it; empty means all. Only for declared ones.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>From a file, not from the app.</summary>
    public bool IsDeclarative { get; init; }

    internal bool AppliesTo(string appId) => Scopes.Count == 0 || Scopes.Contains(appId, StringComparer.Ordinal);
}

/// <summary>How many events arrive together. The defaults are daprd's.</summary>
public sealed record BulkSubscription
{
    public int MaximumMessages { get; init; } = 100;

    public int MaximumAwaitMs { get; init; } = 1000;
}
