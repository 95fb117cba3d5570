namespace StripeMeter.LocalDapr.Resources;

/// <summary>A Dapr component (<c>kind: Component</c>). Of its type only the building block and <c>in-memory</c> matter here.</summary>
public sealed record Component
{
    public required string Name { get; init; }

    /// <summary>For example <c>state.mongodb</c> or <c>pubsub.rabbitmq</c>; <c>state.*</c> and <c>pubsub.*</c> are supported.</summary>
    public required string Type { get; init; }

    public string Version { get; init; } = "v1";

    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>App ids that load it; empty means all.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    internal bool IsState => Type.StartsWith("state.", StringComparison.Ordinal);

    internal bool IsPubSub => Type.StartsWith("pubsub.", StringComparison.Ordinal);

    internal bool IsActorStateStore => IsState && Metadata.TryGetValue("actorStateStore", out var value) && bool.TryParse(value, out var yes) && yes;

    internal bool AppliesTo(string appId) => Scopes.Count == 0 || Scopes.Contains(appId, StringComparer.Ordinal);

    /// <summary>
    /// Topics are durable, except those of <c>pubsub.in-memory</c> and those the metadata key <c>memoryTopics</c> lists (comma separated): internal topics
    /// whose loss costs time only.
    /// </summary>
    internal bool KeepsInMemory(string topic) =>
        Type == "pubsub.in-memory" ||
        (Metadata.TryGetValue("memoryTopics", out var topics) && topics.Split(',', StringSplitOptions.TrimEntries).Contains(topic, StringComparer.Ordinal));

    internal int MetadataNumber(string name, int otherwise) =>
        Metadata.TryGetValue(name, out var text) && int.TryParse(text, out var number) && number > 0 ? number : otherwise;
}
