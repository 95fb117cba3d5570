namespace StripeMeter.LocalDapr;

/// <summary>
/// A running group of sidecars. Its ports are open when <see cref="StartAsync"/> returns; the apps may start before or after.
/// </summary>
public sealed class LocalDaprHost : IAsyncDisposable
{
    private readonly SidecarGroup _group;
    private readonly Dictionary<string, LocalDaprSidecar> _sidecars = new(StringComparer.Ordinal);
    private int _isStopped;

    private LocalDaprHost(SidecarGroup group) => _group = group;

    /// <summary>The sidecars by app id.</summary>
    public IReadOnlyDictionary<string, LocalDaprSidecar> Sidecars => _sidecars;

    /// <summary>Faults to inject, for tests.</summary>
    public InjectedFaults Faults => _group.Faults;

    /// <summary>Opens the data file and the ports of every sidecar.</summary>
    /// <exception cref="LocalDaprConfigurationException">The options make no sense.</exception>
    /// <exception cref="IOException">A port is taken.</exception>
    public static async Task<LocalDaprHost> StartAsync(LocalDaprOptions options, CancellationToken cancellation = default)
    {
        options.Validate();
        var group = new SidecarGroup(options);
        var host = new LocalDaprHost(group);
        try
        {
            foreach (var app in options.Apps)
            {
                var sidecar = new Sidecar(app, group);
                group.Add(sidecar);
                host._sidecars.Add(app.AppId, new LocalDaprSidecar(sidecar));
                await sidecar.StartAsync(cancellation).ConfigureAwait(false);
            }

            return host;
        }
        catch
        {
            await host.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Waits until every sidecar has met its app.</summary>
    /// <exception cref="LocalDaprConfigurationException">An app asks for something that is not there or not
    /// supported.</exception>
    public Task WaitUntilReadyAsync(CancellationToken cancellation = default) =>
        Task.WhenAll(_sidecars.Values.Select(sidecar => sidecar.WaitUntilReadyAsync(cancellation)));

    /// <summary>Stops every sidecar; what is durable is on disk when this returns.</summary>
    public Task StopAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isStopped, 1) == 1)
            return;
        await Task.WhenAll(_sidecars.Values.Select(static sidecar => sidecar.Inner.DisposeAsync().AsTask())).ConfigureAwait(false);
        await _group.DisposeAsync().ConfigureAwait(false);
    }
}
