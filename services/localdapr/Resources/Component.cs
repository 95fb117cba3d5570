namespace StripeMeter.LocalDapr.Resources;

/// <summary>A Dapr component (<c>kind: Component</c>). Of its type only the building block and its delivery promises matter
/// here.</summary>
public sealed record Component
{
    public required string Name { get; init; }

    /// <summary>For example <c>state.mongodb</c> or <c>pubsub.rabbitmq</c>; <c>state.*</c> and <c>pubsub.*</c> are
    /// supported.</summary>
    public required string Type { get; init; }

    public string Version { get; init; } = "v1";

    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>App ids that load it; empty means all.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    internal bool IsState => Type.StartsWith("state.", StringComparison.Ordinal);

    internal bool IsPubSub => Type.StartsWith("pubsub.", StringComparison.Ordinal);

    internal bool IsActorStateStore => IsState && MetadataIs("actorStateStore", true);

    internal bool AppliesTo(string appId) => Scopes.Count == 0 || Scopes.Contains(appId, StringComparer.Ordinal);

    /// <summary>
    /// Topics are durable, except those of <c>pubsub.in-memory</c> and those the metadata key <c>memoryTopics</c> lists (comma
    /// separated): internal topics whose loss costs time only.
    /// </summary>
    internal bool KeepsInMemory(string topic) =>
        Type == "pubsub.in-memory" ||
        (Metadata.TryGetValue("memoryTopics", out var topics) && Lists(topics, topic));

    /// <summary>
    /// Whether what no retry could deliver goes back to its queue: RabbitMQ's <c>requeueInFailure</c>, Kafka's
    /// <c>consumeRetryEnabled</c> (on unless said otherwise). Elsewhere it is lost, as on Redis.
    /// </summary>
    internal bool RequeuesFailures =>
        Type == "pubsub.kafka" ? !MetadataIs("consumeRetryEnabled", false) : MetadataIs("requeueInFailure", true);

    internal bool MayPublish(string appId, string topic) => IsInScope("publishingScopes", appId, topic);

    internal bool MaySubscribe(string appId, string topic) => IsInScope("subscriptionScopes", appId, topic);

    /// <summary>Scopes read <c>app=topic,topic;app=</c>. An app that is not named may do everything, one named with nothing may
    /// do nothing.</summary>
    private bool IsInScope(string scopes, string appId, string topic)
    {
        if (Metadata.TryGetValue("allowedTopics", out var allowed) && allowed.Length > 0 && !Lists(allowed, topic))
            return false;
        var own = Metadata.GetValueOrDefault(scopes, "").Split(';', StringSplitOptions.TrimEntries)
            .Select(static scope => scope.Split('=', 2)).FirstOrDefault(scope => scope.Length == 2 && scope[0].Trim() == appId);
        return own is null || Lists(own[1], topic);
    }

    private static bool Lists(string topics, string topic) =>
        topics.Split(',', StringSplitOptions.TrimEntries).Contains(topic, StringComparer.Ordinal);

    private bool MetadataIs(string name, bool value) =>
        Metadata.TryGetValue(name, out var text) && bool.TryParse(text, out var given) && given == value;

    internal int MetadataNumber(string name, int otherwise) =>
        Metadata.TryGetValue(name, out var text) && int.TryParse(text, out var number) && number > 0 ? number : otherwise;
}
