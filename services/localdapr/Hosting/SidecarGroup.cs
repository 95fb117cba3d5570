using StripeMeter.LocalDapr.Placement;
using StripeMeter.LocalDapr.PubSub;
using StripeMeter.LocalDapr.Storage;
using StripeMeter.Sqlite;

namespace StripeMeter.LocalDapr;

/// <summary>What the sidecars of one process share.</summary>
internal sealed class SidecarGroup : IAsyncDisposable
{
    /// <summary>How often ended state is removed from the file.</summary>
    public static readonly TimeSpan PurgeInterval = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, Sidecar> _sidecars = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _housekeeping;

    public SidecarGroup(LocalDaprOptions options)
    {
        Options = options;
        // Actor state may fall back: the ledger is the truth. Public topics ask for more, write by write.
        File = new SqliteFile(new SqliteFileOptions
        {
            Path = options.DataFile, Durability = SqliteDurability.Process, Schema = Schema.Sql,
        });
        State = new StateStore(File, options.TimeProvider);
        Peers = new PeerDirectory(options, File);
        Placement = new ActorPlacement(Peers);
        Broker = new Broker(options, File, Peers);
        _housekeeping = Task.WhenAll(Peers.RunAsync(_stopping.Token), PurgeAsync(_stopping.Token));
    }

    public LocalDaprOptions Options { get; }

    public SqliteFile File { get; }

    public StateStore State { get; }

    public PeerDirectory Peers { get; }

    public ActorPlacement Placement { get; }

    public Broker Broker { get; }

    public InjectedFaults Faults { get; } = new();

    public void Add(Sidecar sidecar) => _sidecars.Add(sidecar.AppId, sidecar);

    public Sidecar? Find(string appId) => _sidecars.GetValueOrDefault(appId);

    private async Task PurgeAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(PurgeInterval, Options.TimeProvider);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping).ConfigureAwait(false))
                await State.PurgeAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _housekeeping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Peers.Dispose();
        await File.DisposeAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }
}
