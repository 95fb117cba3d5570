using Dapr.Client;
using StripeMeter.Kits.Network;
using StripeMeter.LocalDapr.Resources;

namespace StripeMeter.LocalDapr.Tests.Kit;

/// <summary>A sidecar group over a data file of its own, with apps of the unmodified SDK around it.</summary>
internal sealed class TestGroup : IAsyncDisposable
{
    public const string PubSub = "pubsub";

    private readonly string _folder = Directory.CreateTempSubdirectory("localdapr-tests-").FullName;
    private readonly List<TestApp> _apps = [];
    private LocalDaprHost? _host;

    private TestGroup(Func<string, LocalDaprOptions> describe) => Options = describe(Path.Combine(_folder, "data", "localdapr.db"));

    public LocalDaprOptions Options { get; private set; }

    public LocalDaprHost Host => _host!;

    public static ResourceSet Resources { get; } = new()
    {
        Components =
        [
            new Component { Name = "statestore", Type = "state.mongodb", Metadata = new Dictionary<string,
                string> { ["actorStateStore"] = "true" } },
            new Component { Name = PubSub, Type = "pubsub.rabbitmq", Metadata = new Dictionary<string,
                string> { ["memoryTopics"] = "fleeting" } },
        ],
    };

    /// <summary>Starts the sidecars of apps that attach later.</summary>
    public static async Task<TestGroup> StartAsync(Func<LocalDaprOptions, LocalDaprOptions>? change = null, params string[] appIds)
    {
        var ids = appIds.Length == 0 ? ["app"] : appIds;
        var group = new TestGroup(file =>
        {
            var options = new LocalDaprOptions { DataFile = file,
                Apps = [.. ids.Select(static id => new LocalDaprApp { AppId = id, AppPort = 0 })], Resources = Resources };
            options = change is null ? options : change(options);
            return options with { Apps = [.. options.Apps.Select(WithPorts)] };
        });
        group._host = await LocalDaprHost.StartAsync(group.Options);
        return group;
    }

    /// <summary>Ports that are still free after a restart.</summary>
    private static LocalDaprApp WithPorts(LocalDaprApp app) => app with
    {
        DaprHttpPort = app.DaprHttpPort == 0 ? FreePort.Take() : app.DaprHttpPort,
        DaprGrpcPort = app.DaprGrpcPort == 0 ? FreePort.Take() : app.DaprGrpcPort,
    };

    /// <summary>Starts an app and waits until its sidecar serves it.</summary>
    public async Task<TestApp> AddAppAsync(Action<TestAppBuilder> build, string appId = "app")
    {
        var sidecar = Host.Sidecars[appId];
        var description = Options.Apps.Single(app => app.AppId == appId);
        var app = await TestApp.StartAsync(sidecar, description.AppProtocol, Options.DaprApiToken, build);
        _apps.Add(app);
        sidecar.AttachApp(app.Port);
        await sidecar.WaitUntilReadyAsync().WaitAsync(Patience.Limit);
        return app;
    }

    public Task StopAppAsync(string appId) => _apps.Find(app => app.AppId == appId)!.DisposeAsync().AsTask();

    /// <summary>Stops the sidecars and starts them again over the same file, with the same ports.</summary>
    public async Task RestartSidecarsAsync()
    {
        await Host.DisposeAsync();
        Options = Options with { Apps = [.. Options.Apps.Select(app => app with { AppPort = RunningAt(app.AppId) ?? app.AppPort })] };
        _host = await LocalDaprHost.StartAsync(Options);
        await Host.WaitUntilReadyAsync().WaitAsync(Patience.Limit);
    }

    private int? RunningAt(string appId) => _apps.Find(app => app.AppId == appId && app.IsRunning)?.Port;

    public DaprClient Client(string appId = "app")
    {
        var builder = new DaprClientBuilder().UseHttpEndpoint(Host.Sidecars[appId].HttpEndpoint)
            .UseGrpcEndpoint(Host.Sidecars[appId].GrpcEndpoint);
        return (Options.DaprApiToken is { } token ? builder.UseDaprApiToken(token) : builder).Build();
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        foreach (var app in _apps)
            await app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
