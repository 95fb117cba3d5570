namespace StripeMeter.LocalDapr.PubSub;

/// <summary>What one consumer (app id) has yet to receive of one topic.</summary>
internal interface IConsumerQueue
{
    TopicName Topic { get; }

    /// <summary>Done when there is something to take.</summary>
    Task WaitAsync(CancellationToken cancellation);

    /// <summary>The next message, or null when there is none now.</summary>
    TopicMessage? TryTake();

    /// <summary>Forgets messages that were taken.</summary>
    Task SettleAsync(IReadOnlyList<TopicMessage> messages);
}
