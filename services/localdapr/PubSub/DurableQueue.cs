namespace StripeMeter.LocalDapr.PubSub;

/// <summary>One consumer's queue of a durable topic: read ahead in order, forgotten when acknowledged.</summary>
internal sealed class DurableQueue(TopicName topic, long group, DurableTopics topics, LocalDaprOptions options, Func<bool> isOwner)
    : IConsumerQueue
{
    /// <summary>Messages read at once.</summary>
    public const int ReadAheadMessages = 200;

    /// <summary>How often a queue that other processes fill is looked at.</summary>
    public static readonly TimeSpan SharedPollInterval = TimeSpan.FromMilliseconds(20);

    private readonly Queue<TopicMessage> _ahead = new();
    private readonly Signal _published = new();
    private long _readUpTo;
    private bool _wasOwner;

    public TopicName Topic => topic;

    /// <summary>Tells that a publisher of this process has committed.</summary>
    public void Wake() => _published.Set();

    public async Task WaitAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var published = _published.Next;
            if (_ahead.Count > 0 || ReadAhead())
                return;
            if (options.Shared)
                await published.WaitAsync(SharedPollInterval, options.TimeProvider, cancellation)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            else
                await published.WaitAsync(cancellation).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    public TopicMessage? TryTake() =>
        _ahead.TryDequeue(out var message) || (ReadAhead() && _ahead.TryDequeue(out message)) ? message : null;

    /// <summary>Of several sidecars of one app id only one consumes. Whoever takes over reads everything not acknowledged
    /// again.</summary>
    private bool ReadAhead()
    {
        var owner = isOwner();
        if (owner && !_wasOwner)
            _readUpTo = 0;
        _wasOwner = owner;
        if (!owner)
            return false;
        foreach (var message in topics.Read(group, _readUpTo, ReadAheadMessages))
        {
            _ahead.Enqueue(message);
            _readUpTo = message.Id;
        }

        return _ahead.Count > 0;
    }

    public Task SettleAsync(IReadOnlyList<TopicMessage> messages) => topics.RemoveAsync(group, messages);
}
