using StripeMeter.Defaults.Hosting;
using StripeMeter.LocalDapr;
using StripeMeter.LocalDapr.Resources;

namespace StripeMeter.Local;

/// <summary>The sidecars of the embedded system: the components of the deployment files, on one SQLite file.</summary>
internal static class EmbeddedDapr
{
    private const int MaximumBodyBytes = 16 * 1024 * 1024;

    public static LocalDaprOptions Options(
        string dataFile, LocalOptions options, IEnumerable<string> publisherTopics, string appToken, ILoggerFactory loggers) => new()
    {
        DataFile = dataFile,
        AppApiToken = appToken,
        LoggerFactory = loggers,
        Apps =
        [
            .. AppCatalogue.All.Select(app => new LocalDaprApp { AppId = app.Id, AppPort = 0, MaximumBodyBytes = MaximumBodyBytes }),

            // For applications on this machine that publish usage. It calls nobody.
            new LocalDaprApp
            {
                AppId = DaprNames.PublisherApp, DaprHttpPort = options.PublisherHttpPort, DaprGrpcPort = options.PublisherGrpcPort,
            },
        ],
        Resources = new ResourceSet
        {
            Components =
            [
                new Component
                {
                    Name = DaprNames.StateStore, Type = "state.sqlite", Scopes = [AppCatalogue.Aggregator.Id],
                    Metadata = new Dictionary<string, string> { ["actorStateStore"] = "true" },
                },
                new Component
                {
                    Name = DaprNames.PubSub, Type = "pubsub.sqlite",
                    // Hints: the ledger and the dirty marks are the truth, so losing one costs time only.
                    Metadata = new Dictionary<string, string>
                    {
                        // Public topics are durable: what a subscriber did not take goes back to its queue.
                        ["requeueInFailure"] = "true",
                        ["publishingScopes"] = $"{DaprNames.PublisherApp}={string.Join(',', publisherTopics)}",
                        ["subscriptionScopes"] = $"{DaprNames.PublisherApp}=",
                        ["memoryTopics"] = $"{DaprNames.UsageAppendedTopic},{DaprNames.CountersChangedTopic}",
                    },
                },
            ],
            Resiliency = new ResiliencyPolicies
            {
                Retries = new Dictionary<string, RetryPolicy>
                {
                    ["brief"] = new() { Duration = TimeSpan.FromMilliseconds(200), MaximumRetries = 3 },
                },
                Inbound = new Dictionary<string, TargetPolicyNames> { [DaprNames.PubSub] = new(Timeout: null, Retry: "brief") },
            },
        },
    };
}
