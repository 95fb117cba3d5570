using StripeMeter.LocalDapr.Resources;

namespace StripeMeter.LocalDapr.Tests.Resources;

public sealed class ResourceLoaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("localdapr-tests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private const string Components = """
        apiVersion: dapr.io/v1alpha1
        kind: Component
        metadata: { name: statestore }
        spec:
          type: state.mongodb
          version: v1
          metadata:
          - { name: host, envRef: MONGO_HOST }
          - { name: actorStateStore, value: "true" }
        scopes: [aggregator]
        ---
        apiVersion: dapr.io/v1alpha1
        kind: Component
        metadata: { name: pubsub }
        spec:
          type: pubsub.rabbitmq
          version: v1
          metadata:
          - { name: consumerID, value: "{appID}-group" }
          - { name: memoryTopics, value: "usage.appended, counters.changed" }
        ---
        apiVersion: dapr.io/v2alpha1
        kind: Subscription
        metadata: { name: usage }
        spec:
          pubsubname: pubsub
          topic: usage.events
          routes: { default: /usage }
          deadLetterTopic: usage.dead
          bulkSubscribe: { enabled: true, maxMessagesCount: 50, maxAwaitDurationMs: 20 }
        scopes: [ingest]
        """;

    private const string Resiliency = """
        apiVersion: dapr.io/v1alpha1
        kind: Resiliency
        metadata: { name: metering }
        spec:
          policies:
            timeouts: { turn: 30s }
            retries:
              again: { policy: exponential, maxInterval: 15s, maxRetries: -1 }
              brief: { policy: constant, duration: 1s, maxRetries: 5 }
              DefaultRetryPolicy: { duration: 7s }
          targets:
            actors:
              CounterShard: { timeout: turn, retry: brief }
            components:
              pubsub: { inbound: { retry: again }, outbound: { retry: brief } }
        """;

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder, name), text);

    private ResourceSet Load(string appId) =>
        ResourceLoader.Load(appId, [_folder], [], static name => name == "MONGO_HOST" ? "mongo" : null);

    [Fact]
    public void Load_Components_HonoursScopesReferencesAndPlaceholders()
    {
        Write("all.yaml", Components);

        var aggregator = Load("aggregator");
        var ingest = Load("ingest");

        Assert.Equal(["statestore", "pubsub"], aggregator.Components.Select(static component => component.Name));
        Assert.Equal("mongo", aggregator.Components[0].Metadata["host"]);
        Assert.True(aggregator.HasActorStateStore("aggregator"));
        Assert.Equal(["pubsub"], ingest.Components.Select(static component => component.Name));
        Assert.Equal("ingest-group", ingest.Components[0].Metadata["consumerID"]);
        Assert.True(ingest.Components[0].KeepsInMemory("counters.changed"));
        Assert.False(ingest.Components[0].KeepsInMemory("usage.events"));
    }

    [Fact]
    public void Load_Subscription_ReadsRoutesBulkAndDeadLetter()
    {
        Write("all.yaml", Components);

        var subscription = Assert.Single(Load("ingest").Subscriptions);

        Assert.Equal(("usage.events", "/usage", "usage.dead"), (subscription.Topic, subscription.Route, subscription.DeadLetterTopic));
        Assert.Equal(new BulkSubscription { MaximumMessages = 50, MaximumAwaitMs = 20 }, subscription.Bulk);
        Assert.Empty(Load("aggregator").Subscriptions);
    }

    [Fact]
    public void Load_Resiliency_TargetsWinOverDefaults()
    {
        Write("resiliency.yaml", Resiliency);

        var resiliency = Load("any").Resiliency;

        Assert.Equal(new TargetPolicy(true, TimeSpan.FromSeconds(30),
            new RetryPolicy { Duration = TimeSpan.FromSeconds(1), MaximumRetries = 5 }), resiliency.ForActor("CounterShard"));
        Assert.Equal(TimeSpan.FromSeconds(7), resiliency.ForActor("Other").Retry!.Duration);
        var again = resiliency.ForInbound("pubsub").Retry!;
        Assert.Equal((500.0, 750.0, 15_000.0),
            (again.PauseBefore(1)?.TotalMilliseconds, again.PauseBefore(2)?.TotalMilliseconds, again.PauseBefore(20)?.TotalMilliseconds));
    }

    [Fact]
    public void Load_Configuration_EnablesFeatures()
    {
        Write("config.yaml", """
            apiVersion: dapr.io/v1alpha1
            kind: Configuration
            metadata: { name: config }
            spec:
              features:
              - { name: ActorStateTTL, enabled: true }
              - { name: Other, enabled: false }
            """);

        Assert.Empty(Load("any").Features);
        Assert.Equal(["ActorStateTTL"], ResourceLoader.Load("any", [], [Path.Combine(_folder, "config.yaml")]).Features);
    }

    [Theory]
    [InlineData("apiVersion: dapr.io/v1alpha1\nkind: HTTPEndpoint\nmetadata: { name: x }", "HTTPEndpoint")]
    [InlineData("apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: { name: x }\nspec: { type: pubsub.x, metadata: [{ name: a, secretKeyRef: { name: s } }] }", "secret store")]
    [InlineData("apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: { name: x }\nspec: { type: pubsub.x, metadata: [{ name: a, envRef: DAPR_API_TOKEN }] }", "DAPR_API_TOKEN")]
    [InlineData("apiVersion: dapr.io/v1alpha1\nkind: Component\nspec: { type: pubsub.x }", "metadata.name")]
    [InlineData("apiVersion: dapr.io/v2alpha1\nkind: Subscription\nspec: { pubsubname: p, topic: t, routes: { rules: [{ match: m, path: /p }] } }", "routing rules")]
    [InlineData("apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nspec: { targets: { actors: { A: { retry: none } } } }", "'none'")]
    [InlineData("apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nspec: {}\ntargets: {}", "inside spec")]
    [InlineData("a: [", "wrong.yaml")]
    public void Load_WhatIsNotSupported_IsRefusedByName(string yaml, string expected)
    {
        Write("wrong.yaml", yaml);

        Assert.Contains(expected, Assert.Throws<LocalDaprConfigurationException>(() => Load("any")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_ResiliencyBesideAnotherDocument_IsRefused()
    {
        Write("both.yaml", Resiliency + "\n---\n" + Components);

        Assert.Contains("file of its own", Assert.Throws<LocalDaprConfigurationException>(() => Load("any")).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_ComponentOfAnotherKind_IsRefused()
    {
        var options = new LocalDaprOptions
        {
            DataFile = Path.Combine(_folder, "x.db"),
            Apps = [new LocalDaprApp { AppId = "app" }],
            Resources = new ResourceSet { Components = [new Component { Name = "out", Type = "bindings.kafka" }] },
        };

        var failure = await Assert.ThrowsAsync<LocalDaprConfigurationException>(() => LocalDaprHost.StartAsync(options));

        Assert.Contains("bindings.kafka", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_TwoActorStateStores_IsRefused()
    {
        var store = new Component { Name = "one", Type = "state.redis", Metadata = new Dictionary<string,
            string> { ["actorStateStore"] = "true" } };
        var options = new LocalDaprOptions
        {
            DataFile = Path.Combine(_folder, "x.db"),
            Apps = [new LocalDaprApp { AppId = "app" }],
            Resources = new ResourceSet { Components = [store, store with { Name = "two" }] },
        };

        var failure = await Assert.ThrowsAsync<LocalDaprConfigurationException>(() => LocalDaprHost.StartAsync(options));

        Assert.Contains("duplicate actor state store", failure.Message, StringComparison.Ordinal);
    }
}
