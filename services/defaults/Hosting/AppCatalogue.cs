namespace StripeMeter.Defaults.Hosting;

/// <summary>A service of the system as deployment files name it.</summary>
/// <param name="Id">Dapr app id, which is also the name of its folder.</param>
/// <param name="AppPort">HTTP/2 without TLS: gRPC, and what the sidecar calls (app protocol h2c).</param>
/// <param name="ProbePort">HTTP/1.1: health and metrics; of the gateway, the public REST port.</param>
/// <param name="DaprHttpPort">HTTP port of its sidecar.</param>
/// <param name="DaprGrpcPort">gRPC port of its sidecar.</param>
public sealed record AppDefinition(string Id, int AppPort, int ProbePort, int DaprHttpPort, int DaprGrpcPort);

/// <summary>Names and default ports that code and deployment files share. A test compares the two.</summary>
public static class AppCatalogue
{
    public static AppDefinition Ingest { get; } = new("ingest", 5101, 5201, 3501, 50101);

    public static AppDefinition Aggregator { get; } = new("aggregator", 5102, 5202, 3502, 50102);

    public static AppDefinition Pusher { get; } = new("pusher", 5103, 5203, 3503, 50103);

    public static AppDefinition Pricing { get; } = new("pricing", 5104, 5204, 3504, 50104);

    public static AppDefinition Gateway { get; } = new("gateway", 5105, 3000, 3505, 50105);

    public static IReadOnlyList<AppDefinition> All { get; } = [Ingest, Aggregator, Pusher, Pricing, Gateway];
}

/// <summary>Names of Dapr components, topics and actor types.</summary>
public static class DaprNames
{
    public const string PubSub = "pubsub";
    public const string StateStore = "statestore";
    public const string CounterShardActor = "CounterShard";

    /// <summary>Records appended to a shard log: ingest to aggregator. A hint; the log is the truth.</summary>
    public const string UsageAppendedTopic = "usage.appended";

    /// <summary>Counters moved: aggregator to pusher. A hint; the dirty marks are the truth.</summary>
    public const string CountersChangedTopic = "counters.changed";

    /// <summary>Events of publishers in any language: to ingest.</summary>
    public const string UsageEventsTopic = "usage.events";

    /// <summary>Messages of the topic before that ingest did not take: to ingest, which keeps them for a list.</summary>
    public const string UsageEventsDeadTopic = "usage.events.dead";

    /// <summary>App id of publishers: their sidecars may publish to <see cref="UsageEventsTopic"/> and nothing else.</summary>
    public const string PublisherApp = "publisher";
}
