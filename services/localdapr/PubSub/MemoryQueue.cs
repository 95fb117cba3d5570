namespace StripeMeter.LocalDapr.PubSub;

/// <summary>A bounded queue in memory; lost with the process.</summary>
internal sealed class MemoryQueue(TopicName topic, string consumer, LocalDaprLimits limits, TimeProvider time) : IConsumerQueue
{
    private readonly Lock _gate = new();
    private readonly Queue<TopicMessage> _messages = new();
    private readonly Signal _added = new();
    private readonly Signal _taken = new();
    private long _bytes;

    public TopicName Topic => topic;

    /// <summary>Adds messages in order, waiting for room up to the limit.</summary>
    /// <exception cref="QueueFullException">There was none for <see cref="LocalDaprLimits.PublishWait"/>; some of the messages
    /// may be in.</exception>
    public async ValueTask AddAsync(IReadOnlyList<TopicMessage> messages, CancellationToken cancellation)
    {
        var start = time.GetTimestamp();
        for (var added = 0; ;)
        {
            var taken = _taken.Next;
            added = AddWhatFits(messages, added);
            if (added == messages.Count)
                return;
            var left = limits.PublishWait - time.GetElapsedTime(start);
            if (left <= TimeSpan.Zero)
                throw new QueueFullException(topic, consumer);
            await taken.WaitAsync(left, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    private int AddWhatFits(IReadOnlyList<TopicMessage> messages, int added)
    {
        var first = added;
        lock (_gate)
        {
            // An empty queue takes any message, so that one larger than the bound does not stay outside for ever.
            while (added < messages.Count
                && (_messages.Count == 0
                || (_messages.Count < limits.MemoryTopicMessages && _bytes + messages[added].Payload.Length <= limits.MemoryTopicBytes)))
            {
                _bytes += messages[added].Payload.Length;
                _messages.Enqueue(messages[added++]);
            }
        }

        if (added > first)
            _added.Set();
        return added;
    }

    public Task WaitAsync(CancellationToken cancellation)
    {
        var added = _added.Next;
        lock (_gate)
        {
            if (_messages.Count > 0)
                return Task.CompletedTask;
        }

        return added.WaitAsync(cancellation);
    }

    public TopicMessage? TryTake()
    {
        TopicMessage? message;
        lock (_gate)
        {
            if (!_messages.TryDequeue(out message))
                return null;
            _bytes -= message.Payload.Length;
        }

        _taken.Set();
        return message;
    }

    public Task SettleAsync(IReadOnlyList<TopicMessage> messages) => Task.CompletedTask;
}
