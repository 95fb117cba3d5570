using System.Collections.Concurrent;
using StripeMeter.LocalDapr.Placement;
using StripeMeter.LocalDapr.Resources;
using StripeMeter.Sqlite;

namespace StripeMeter.LocalDapr.PubSub;

/// <summary>Takes messages to the queues of their consumers: each app id that subscribes to a topic gets everything
/// once.</summary>
internal sealed class Broker(LocalDaprOptions options, SqliteFile file, PeerDirectory peers)
{
    private readonly DurableTopics _durable = new(file, options.Limits, options.TimeProvider);
    private readonly ConcurrentDictionary<(TopicName Topic, string AppId), IConsumerQueue> _queues = new();

    /// <summary>Topics in memory that this process has consumers for.</summary>
    public IEnumerable<TopicName> MemoryTopics => _queues.Values.OfType<MemoryQueue>().Select(static queue => queue.Topic).Distinct();

    /// <summary>Opens the queue of a consumer; from now on it gets what is published.</summary>
    public async Task<IConsumerQueue> SubscribeAsync(Component component, TopicName topic, string appId, Func<bool> isOwner)
    {
        IConsumerQueue queue = component.KeepsInMemory(topic.Topic)
            ? new MemoryQueue(topic, appId, options.Limits, options.TimeProvider)
            : new DurableQueue(topic, await _durable.OpenGroupAsync(topic, appId).ConfigureAwait(false), _durable, options, isOwner);
        return _queues.TryAdd((topic, appId), queue) ? queue
            : throw new LocalDaprConfigurationException($"app '{appId}' subscribes to topic '{topic}' twice");
    }

    /// <summary>Publishes messages in order. When this returns, durable ones are on disk.</summary>
    /// <exception cref="QueueFullException">A consumer is too far behind.</exception>
    public async Task PublishAsync(Component component, TopicName topic, IReadOnlyList<TopicMessage> messages,
        CancellationToken cancellation)
    {
        if (component.KeepsInMemory(topic.Topic))
        {
            await PublishHereAsync(topic, messages, cancellation).ConfigureAwait(false);
            await peers.PublishAsync(topic, messages, cancellation).ConfigureAwait(false);
            return;
        }

        await _durable.PublishAsync(topic, messages, cancellation).ConfigureAwait(false);
        foreach (var (key, queue) in _queues)
        {
            if (key.Topic == topic)
                (queue as DurableQueue)?.Wake();
        }
    }

    /// <summary>Hands messages of a topic in memory to the consumers of this process.</summary>
    public async Task PublishHereAsync(TopicName topic, IReadOnlyList<TopicMessage> messages, CancellationToken cancellation)
    {
        foreach (var (key, queue) in _queues)
        {
            if (key.Topic == topic && queue is MemoryQueue memory)
                await memory.AddAsync(messages, cancellation).ConfigureAwait(false);
        }
    }
}
