using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using StripeMeter.Aggregator;
using StripeMeter.Defaults.Billing;
using StripeMeter.Defaults.Configuration;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Gateway;
using StripeMeter.Ingest;
using StripeMeter.Ingest.Subscribing;
using StripeMeter.LocalDapr;
using StripeMeter.Pricing;
using StripeMeter.Pusher;
using StripeMeter.StripeDouble;

namespace StripeMeter.Local;

/// <summary>
/// The whole system in one process: every service with its own ports and its own sidecar, talking over loopback exactly
/// as they do when they run apart.
/// </summary>
public sealed class LocalSystem : IAsyncDisposable
{
    private const int TokenBytes = 32;
    private const string WebhookSecrets = "STRIPE_WEBHOOK_SECRET";

    /// <summary>What the double signs its events with in this run.</summary>
    private readonly string _doubleSecret = $"whsec_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(TokenBytes))}";
    private readonly List<IAsyncDisposable> _parts = [];
    private readonly List<WebApplication> _apps = [];
    private readonly Dictionary<string, Uri> _grpc = [];
    private StripeDoubleHost? _double;

    private LocalSystem(LocalOptions options) => Options = options;

    /// <summary>Where settings may be declared.</summary>
    internal static IReadOnlyList<Assembly> ServiceAssemblies { get; } =
    [
        typeof(LocalSystem).Assembly, typeof(ServiceHost).Assembly, typeof(IngestApp).Assembly, typeof(AggregatorApp).Assembly,
        typeof(PusherApp).Assembly, typeof(PricingApp).Assembly, typeof(GatewayApp).Assembly,
    ];

    public LocalOptions Options { get; }

    /// <summary>REST and its documentation.</summary>
    public Uri Rest { get; private set; } = null!;

    /// <summary>gRPC of ingest.</summary>
    public Uri Ingest { get; private set; } = null!;

    /// <summary>gRPC of every service, by app id.</summary>
    public IReadOnlyDictionary<string, Uri> Grpc => _grpc;

    /// <summary>Stripe's API as the services reach it.</summary>
    public Uri Stripe { get; private set; } = null!;

    /// <summary>Dapr's HTTP API, as the sidecar of ingest serves it: for those who publish to its topics.</summary>
    public Uri Sidecar { get; private set; } = null!;

    /// <summary>The sidecar of applications that publish usage.</summary>
    public LocalDaprSidecar Publisher { get; private set; } = null!;

    /// <summary>Folder of all data.</summary>
    public string DataDirectory { get; private set; } = "";

    /// <summary>Returns when every service is ready.</summary>
    /// <param name="options">Own settings.</param>
    /// <param name="settings">Settings handed to every service.</param>
    /// <param name="cancellation">Stops the start.</param>
    public static async Task<LocalSystem> StartAsync(
        LocalOptions options, IReadOnlyDictionary<string, string?> settings, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(settings);
        var system = new LocalSystem(options);
        try
        {
            await system.StartPartsAsync(settings, cancellation).ConfigureAwait(false);
            return system;
        }
        catch
        {
            await system.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Stops the services in the order in which requests travel, then the sidecars, then the double.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var app in Enumerable.Reverse(_apps))
        {
            await app.StopAsync().ConfigureAwait(false);
            await app.DisposeAsync().ConfigureAwait(false);
        }

        foreach (var part in Enumerable.Reverse(_parts))
            await part.DisposeAsync().ConfigureAwait(false);
        _apps.Clear();
        _parts.Clear();
    }

    private async Task StartPartsAsync(IReadOnlyDictionary<string, string?> settings, CancellationToken cancellation)
    {
        var folder = DataFolder.Open(Options.DataDirectory);
        _parts.Add(new Disposer(folder));
        DataDirectory = folder.Path;
        Stripe = await StartStripeAsync(folder, cancellation).ConfigureAwait(false);

        // Nobody but the sidecars of this run may deliver to its services.
        var appToken = Convert.ToHexString(RandomNumberGenerator.GetBytes(TokenBytes));
        var loggers = LoggerFactory.Create(logging => logging.AddSimpleConsole(console => console.SingleLine = true).AddFilter("Yarp", LogLevel.Error).SetMinimumLevel(LogLevel.Warning));
        _parts.Add(new Disposer(loggers));
        var dapr = await LocalDaprHost.StartAsync(EmbeddedDapr.Options(folder.File("dapr.db"), Options, PublisherTopicsOf(settings), appToken, loggers), cancellation).ConfigureAwait(false);
        _parts.Add(dapr);

        // The gateway is last: it is ready when the others are.
        var ingest = await StartAppAsync(AppCatalogue.Ingest, IngestApp.Build, Options.IngestPort).ConfigureAwait(false);
        await StartAppAsync(AppCatalogue.Aggregator, AggregatorApp.Build, 0).ConfigureAwait(false);
        await StartAppAsync(AppCatalogue.Pusher, PusherApp.Build, 0).ConfigureAwait(false);
        await StartAppAsync(AppCatalogue.Pricing, PricingApp.Build, 0).ConfigureAwait(false);
        var gateway = await StartAppAsync(AppCatalogue.Gateway, GatewayApp.Build, 0).ConfigureAwait(false);
        await dapr.WaitUntilReadyAsync(cancellation).ConfigureAwait(false);
        Publisher = dapr.Sidecars[DaprNames.PublisherApp];
        (Rest, Ingest) = (Loopback(gateway.ProbePort()), Loopback(ingest.AppPort()));
        Sidecar = new Uri(dapr.Sidecars[AppCatalogue.Ingest.Id].HttpEndpoint);
        if (_double is not null)
            await _double.ListenAsync(new Uri(Rest, "/v1/webhooks/stripe"), _doubleSecret, cancellation).ConfigureAwait(false);

        async Task<WebApplication> StartAppAsync(AppDefinition app, BuildApp build, int appPort)
        {
            var sidecar = dapr.Sidecars[app.Id];
            var own = new Dictionary<string, string?>(settings)
            {
                ["DATA_DIRECTORY"] = folder.Path,
                ["APP_HOST"] = "127.0.0.1",
                ["APP_PORT"] = Text(appPort),
                ["PROBE_PORT"] = "0",
                ["DAPR_HTTP_ENDPOINT"] = sidecar.HttpEndpoint,
                ["DAPR_GRPC_ENDPOINT"] = sidecar.GrpcEndpoint,
                ["DAPR_HTTP_PORT"] = Text(sidecar.HttpPort),
                ["DAPR_GRPC_PORT"] = Text(sidecar.GrpcPort),
                ["API_PORT"] = Text(Options.ApiPort),
                ["API_HOST"] = Options.ApiHost,
                ["STRIPE_SECRET_KEY"] = Options.StripeSecretKey,
                ["API_KEY_SALT"] = Options.KeySalt,
                ["BYPASS_AUTH"] = Options.BypassesAuthentication ? "1" : "0",
                ["APP_API_TOKEN"] = appToken,
            };
            if (Options.StartsDouble)
            {
                own["STRIPE_DOUBLE_BASE"] = Stripe.ToString();
                own[WebhookSecrets] = string.Join(',', ((string?[])[own.GetValueOrDefault(WebhookSecrets), _doubleSecret]).Where(static secret => secret is { Length: > 0 }));
            }

            var built = build([], own, builder => builder.Services.AddSingleton<IHostLifetime, NoLifetime>());
            _apps.Add(built);
            await built.StartAsync(cancellation).ConfigureAwait(false);
            sidecar.AttachApp(built.AppPort());
            _grpc[app.Id] = Loopback(built.AppPort());
            return built;
        }
    }

    private async Task<Uri> StartStripeAsync(DataFolder folder, CancellationToken cancellation)
    {
        if (!Options.StartsDouble)
        {
            return Options.StripeApiBase
                ?? new StripeOptions { SecretKey = Options.StripeSecretKey, DoubleBase = Options.StripeDoubleBase }.ApiBase;
        }

        _double = await StripeDoubleHost.StartAsync(
            new StripeDoubleOptions { DataFile = folder.File("stripe-double.db"), Port = Options.StripeDoublePort }, cancellation)
            .ConfigureAwait(false);
        _parts.Add(_double);
        return _double.BaseAddress;
    }

    /// <summary>The sidecar of publishers on this machine serves all of them.</summary>
    private static IEnumerable<string> PublisherTopicsOf(IReadOnlyDictionary<string, string?> settings)
    {
        var publishers = SettingsReader.Read<PublisherOptions>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build()).Publishers;
        return new PublisherTopics(publishers, isOpen: false).All.Select(topic => topic.Name);
    }

    private static Uri Loopback(int port) => new($"http://localhost:{Text(port)}");

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private delegate WebApplication BuildApp(
        string[] args, IEnumerable<KeyValuePair<string, string?>>? settings, Action<WebApplicationBuilder>? configure);

    /// <summary>Signals are the whole system's, not each service's.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class Disposer(IDisposable part) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            part.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
