using StripeMeter.LocalDapr.Actors;
using StripeMeter.LocalDapr.Transport;
using StripeMeter.LocalDapr.Placement;
using StripeMeter.LocalDapr.PubSub;
using StripeMeter.LocalDapr.Reminders;
using StripeMeter.LocalDapr.Resources;

namespace StripeMeter.LocalDapr;

/// <summary>The sidecar of one app: its server, its way to the app, its actors, reminders and subscriptions.</summary>
internal sealed partial class Sidecar : IAsyncDisposable
{
    private readonly SidecarServer _server;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Task> _running = [];
    private readonly List<SubscriptionPump> _pumps = [];
    private readonly string _peerToken = Guid.NewGuid().ToString("N");
    private readonly DateTimeOffset _startedAt;
    private readonly ILogger _logger;
    private Task _starting = Task.CompletedTask;
    private IReadOnlyList<TopicSubscription> _subscriptions = [];

    public Sidecar(LocalDaprApp app, SidecarGroup group)
    {
        App = app;
        Group = group;
        Resources = app.Resources ?? group.Options.Resources;
        _startedAt = group.Options.TimeProvider.GetUtcNow();
        _logger = group.Options.LoggerFactory.CreateLogger<Sidecar>();
        Channel = new AppChannel(app, group.Options);
        Actors = new ActorHost(app.AppId, group.Options, Channel, Resources.Resiliency);
        Router = new ActorRouter(group.Placement, group.Peers, Resources.Resiliency, app.MaximumBodyBytes, group.Options);
        Reminders = new ReminderScheduler(new ReminderStore(group.File, app.AppId), Actors, key =>
            ReferenceEquals(group.Placement.Find(key).Here, Actors), group.Faults, group.Options);
        _server = new SidecarServer(this, _peerToken);
    }

    public LocalDaprApp App { get; }

    public string AppId => App.AppId;

    public SidecarGroup Group { get; }

    public ResourceSet Resources { get; }

    public AppChannel Channel { get; }

    public ActorHost Actors { get; }

    public ActorRouter Router { get; }

    public ReminderScheduler Reminders { get; }

    public IReadOnlyList<TopicSubscription> Subscriptions => Volatile.Read(ref _subscriptions);

    /// <summary>Names this start of the sidecar.</summary>
    public string Instance { get; } = Guid.NewGuid().ToString("N");

    public int HttpPort => _server.HttpPort;

    public int GrpcPort => _server.GrpcPort;

    /// <summary>Config and subscriptions of the app are known and served. Faults when they cannot be.</summary>
    public Task Ready => _ready.Task;

    public bool IsReady => _ready.Task.IsCompletedSuccessfully;

    /// <summary>Raised when the API asks the sidecar to stop.</summary>
    public event Action? ShutdownRequested;

    public void RequestShutdown() => ShutdownRequested?.Invoke();

    /// <summary>Active actors by type, and the types that have none.</summary>
    public IEnumerable<KeyValuePair<string, int>> CountActors()
    {
        var counts = Actors.Table.CountByType();
        return Actors.Types.Select(type => KeyValuePair.Create(type, counts.GetValueOrDefault(type)));
    }

    /// <summary>Opens the ports; the app is waited for in the background.</summary>
    public async Task StartAsync(CancellationToken cancellation)
    {
        await _server.StartAsync(cancellation).ConfigureAwait(false);
        _starting = InitialiseAsync(_stopping.Token);
    }

    private async Task InitialiseAsync(CancellationToken stopping)
    {
        try
        {
            if (App.AppPort is not null)
                await MeetAppAsync(stopping).ConfigureAwait(false);
            Group.Placement.Add(Instance, Actors);
            await Group.Peers.AnnounceAsync(Describe, Channel.Port).ConfigureAwait(false);
            if (Actors.Types.Any())
                _running.Add(Reminders.RunAsync(stopping));
            _ready.SetResult();
            LogReady(_logger, AppId, HttpPort, GrpcPort);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            _ready.TrySetCanceled(stopping);
        }
        catch (Exception failure)
        {
            LogNotReady(_logger, AppId, failure);
            _ready.SetException(failure);
        }
    }

    /// <summary>Once per start, as daprd: an app that restarts is not asked again.</summary>
    private async Task MeetAppAsync(CancellationToken stopping)
    {
        LogWaiting(_logger, AppId);
        await Channel.WaitUntilListeningAsync(stopping).ConfigureAwait(false);
        if (App.AppProtocol == AppProtocol.Grpc)
            return;
        using (var config = await Channel.SendAsync(HttpMethod.Get, "/dapr/config", null, null, stopping).ConfigureAwait(false))
            Actors.Configure(config.IsSuccess ? ActorHosting.Parse(config.Body) : new Dictionary<string, ActorTypeOptions>());
        using var subscribe = await Channel.SendAsync(HttpMethod.Get, "/dapr/subscribe", null, null, stopping).ConfigureAwait(false);
        var programmatic = subscribe.IsSuccess && !subscribe.Body.IsEmpty ? SubscriptionParser.Parse(subscribe.Body) : [];
        await SubscribeAsync([.. programmatic, .. Resources.Subscriptions.Where(subscription => subscription.AppliesTo(AppId))],
            stopping).ConfigureAwait(false);
    }

    private async Task SubscribeAsync(IReadOnlyList<TopicSubscription> subscriptions, CancellationToken stopping)
    {
        foreach (var subscription in subscriptions)
        {
            var component = Resources.FindPubSub(AppId, subscription.PubSubName)
                ?? throw new LocalDaprConfigurationException($"app '{AppId}' subscribes to '{subscription.Topic}' of pubsub '{subscription.PubSubName}', which is not found");
            if (!component.MaySubscribe(AppId, subscription.Topic))
                throw new LocalDaprConfigurationException($"app '{AppId}' may not subscribe to '{subscription.Topic}': the scopes of pubsub '{component.Name}' say so");
            var topic = new TopicName(subscription.PubSubName, subscription.Topic);
            var queue = await Group.Broker.SubscribeAsync(component, topic, AppId, OwnsConsumers).ConfigureAwait(false);
            var pump = new SubscriptionPump(subscription, component, queue, Channel, Resources.Resiliency.ForInbound(component.Name),
                (messages, cancellation) => PublishDeadAsync(component, subscription, messages, cancellation), Group.Faults, Group.Options);
            _pumps.Add(pump);
            _running.Add(pump.RunAsync(stopping));
        }

        Volatile.Write(ref _subscriptions, subscriptions);
    }

    private Task PublishDeadAsync(Component component, TopicSubscription subscription, IReadOnlyList<TopicMessage> messages,
        CancellationToken cancellation) =>
        Group.Broker.PublishAsync(component, new TopicName(subscription.PubSubName, subscription.DeadLetterTopic!), messages, cancellation);

    /// <summary>Of several sidecars of one app id in different processes the oldest consumes the durable topics.</summary>
    private bool OwnsConsumers() =>
        !Group.Peers.Others.Any(peer => peer.AppId == AppId && (peer.StartedAt, peer.Instance).CompareTo((_startedAt, Instance)) < 0);

    private Peer Describe() => new()
    {
        Instance = Instance,
        AppId = AppId,
        Address = $"http://127.0.0.1:{GrpcPort}",
        Token = _peerToken,
        StartedAt = _startedAt,
        SeenAt = Group.Options.TimeProvider.GetUtcNow(),
        ActorTypes = PeerDirectory.SetOf(Actors.Types),
        MemoryTopics = PeerDirectory.SetOf(Group.Broker.MemoryTopics.Select(static topic => topic.ToString())),
    };

    /// <summary>Stops in daprd's order: no new work, what runs may end, actors are deactivated, the ports close.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _starting.ConfigureAwait(false);
        Group.Placement.Remove(Instance);
        await Group.Peers.WithdrawAsync(Instance).ConfigureAwait(false);
        await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Actors.Table.DeactivateAllAsync().WaitAsync(Group.Options.Limits.GracefulShutdown, Group.Options.TimeProvider)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _server.DisposeAsync().ConfigureAwait(false);
        Channel.Dispose();
        Reminders.Dispose();
        _pumps.ForEach(static pump => pump.Dispose());
        _stopping.Dispose();
    }

    [LoggerMessage(60, LogLevel.Information, "Waiting for app '{AppId}' to listen")]
    private static partial void LogWaiting(ILogger logger, string appId);

    [LoggerMessage(61, LogLevel.Information, "Sidecar of '{AppId}' is ready: HTTP port {HttpPort}, gRPC port {GrpcPort}")]
    private static partial void LogReady(ILogger logger, string appId, int httpPort, int grpcPort);

    [LoggerMessage(62, LogLevel.Error, "Sidecar of '{AppId}' cannot serve its app")]
    private static partial void LogNotReady(ILogger logger, string appId, Exception failure);
}
