using System.Collections.Concurrent;
using System.Collections.Frozen;
using StripeMeter.LocalDapr.PubSub;
using StripeMeter.Sqlite;

namespace StripeMeter.LocalDapr.Placement;

/// <summary>
/// Who else belongs to the group: sidecars in other processes, found through the shared file. Each gives a sign of life there;
/// one that cannot be reached, or is silent for too long, is left out. In a group of one process there is nobody else.
/// </summary>
internal sealed partial class PeerDirectory(LocalDaprOptions options, SqliteFile file) : IDisposable
{
    /// <summary>How often a sidecar says that it lives and looks for others.</summary>
    public static readonly TimeSpan HeartbeatInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>Silence after which a sidecar counts as gone.</summary>
    public static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(5);

    private readonly PeerStore _store = new(file);
    private readonly PeerClient _client = new();
    private readonly ConcurrentDictionary<string, (Func<Peer> Describe, int AppPort)> _own = new();
    private readonly ConcurrentDictionary<string, DateTimeOffset> _unreachable = new();
    private readonly Signal _changed = new();
    private readonly ILogger _logger = options.LoggerFactory.CreateLogger<PeerDirectory>();
    private IReadOnlyList<Peer> _others = [];

    /// <summary>Living sidecars of other processes, oldest first.</summary>
    public IReadOnlyList<Peer> Others => Volatile.Read(ref _others);

    /// <summary>Done when the group changes next.</summary>
    public Task Changed => _changed.Next;

    public PeerClient Client => _client;

    /// <summary>Makes a sidecar of this process known.</summary>
    public async Task AnnounceAsync(Func<Peer> describe, int appPort)
    {
        var peer = describe();
        _own[peer.Instance] = (describe, appPort);
        if (options.Shared)
        {
            await _store.SaveAsync(peer, appPort).ConfigureAwait(false);
            Refresh();
        }

        _changed.Set();
    }

    public async Task WithdrawAsync(string instance)
    {
        if (_own.TryRemove(instance, out _) && options.Shared)
            await _store.DeleteAsync(instance).ConfigureAwait(false);
        _changed.Set();
    }

    /// <summary>Leaves a sidecar out until it gives another sign of life.</summary>
    public void MarkUnreachable(Peer peer)
    {
        _unreachable[peer.Instance] = peer.SeenAt;
        Refresh();
    }

    /// <summary>Looks and is seen, until stopped.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        while (options.Shared && !stopping.IsCancellationRequested)
        {
            try
            {
                foreach (var (describe, appPort) in _own.Values)
                    await _store.SaveAsync(describe(), appPort).ConfigureAwait(false);
                Refresh();
            }
            catch (Exception failure)
            {
                LogRefreshFailed(_logger, failure);
            }

            await Task.Delay(HeartbeatInterval, options.TimeProvider, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Refresh()
    {
        var seen = _store.SeenSince(options.TimeProvider.GetUtcNow() - SilenceLimit)
            .Where(peer => !_own.ContainsKey(peer.Instance)
                && !(_unreachable.TryGetValue(peer.Instance, out var lastSign) && peer.SeenAt <= lastSign)).ToList();
        var before = Interlocked.Exchange(ref _others, seen);
        if (!before.Select(Shape).SequenceEqual(seen.Select(Shape)))
            _changed.Set();
    }

    private static (string Instance, int Types, int Topics) Shape(Peer peer) =>
        (peer.Instance, peer.ActorTypes.Count, peer.MemoryTopics.Count);

    /// <summary>Hands messages of a topic in memory to the processes that have consumers for it. One that cannot be reached loses
    /// them, as the memory of a dead process would.</summary>
    public async Task PublishAsync(TopicName topic, IReadOnlyList<TopicMessage> messages, CancellationToken cancellation)
    {
        foreach (var peer in Others.Where(peer => peer.MemoryTopics.Contains(topic.ToString())))
        {
            if (!await _client.TryPublishAsync(peer, topic, messages, cancellation).ConfigureAwait(false))
            {
                LogPublishLost(_logger, messages.Count, topic, peer.AppId);
                MarkUnreachable(peer);
            }
        }
    }

    public void Dispose() => _client.Dispose();

    public static FrozenSet<string> SetOf(IEnumerable<string> names) => names.ToFrozenSet(StringComparer.Ordinal);

    [LoggerMessage(50, LogLevel.Error, "The sidecars of the group could not be read from the data file")]
    private static partial void LogRefreshFailed(ILogger logger, Exception failure);

    [LoggerMessage(51, LogLevel.Warning, "{Count} events of topic {Topic} did not reach the sidecar of '{AppId}'")]
    private static partial void LogPublishLost(ILogger logger, int count, TopicName topic, string appId);
}
