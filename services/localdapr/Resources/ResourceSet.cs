namespace StripeMeter.LocalDapr.Resources;

/// <summary>What Dapr calls resources, as far as the stand-in knows them, and the features of its configuration.</summary>
public sealed record ResourceSet
{
    public static ResourceSet Empty { get; } = new();

    public IReadOnlyList<Component> Components { get; init; } = [];

    public IReadOnlyList<TopicSubscription> Subscriptions { get; init; } = [];

    public ResiliencyPolicies Resiliency { get; init; } = ResiliencyPolicies.None;

    /// <summary>Names of the features that the Configuration enables, for example <c>ActorStateTTL</c>.</summary>
    public IReadOnlySet<string> Features { get; init; } = new HashSet<string>();

    internal Component? FindPubSub(string appId, string name) =>
        Components.FirstOrDefault(component => component.IsPubSub && component.Name == name && component.AppliesTo(appId));

    internal bool HasActorStateStore(string appId) =>
        Components.Any(component => component.IsActorStateStore && component.AppliesTo(appId));

    internal void Validate(string appId, AppProtocol protocol)
    {
        var own = Components.Where(component => component.AppliesTo(appId)).ToList();
        foreach (var twice in own.CountBy(static component => component.Name).Where(static pair => pair.Value > 1))
            throw new LocalDaprConfigurationException($"component '{twice.Key}' is defined twice for app '{appId}'");
        if (own.Count(static component => component.IsActorStateStore) > 1)
            throw new LocalDaprConfigurationException($"detected duplicate actor state store for app '{appId}'");
        if (own.FirstOrDefault(static component => !component.IsState && !component.IsPubSub) is { } unknown)
            throw new LocalDaprConfigurationException($"component '{unknown.Name}' has type '{unknown.Type}'; localdapr supports state.* and pubsub.*");
        if (protocol == AppProtocol.Grpc && Subscriptions.Any(subscription => subscription.AppliesTo(appId)))
            throw new LocalDaprConfigurationException($"app '{appId}' speaks grpc and holds a subscription; localdapr delivers over http and h2c only");
    }
}
