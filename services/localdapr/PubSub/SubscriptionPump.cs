using StripeMeter.LocalDapr.Transport;
using StripeMeter.LocalDapr.Resources;

namespace StripeMeter.LocalDapr.PubSub;

/// <summary>
/// Carries the messages of one subscription to its app: gathers, delivers, and acknowledges, retries or sends to the dead letter
/// topic. What waits for a retry does not hold up the rest; how much may be unacknowledged is bounded.
/// </summary>
internal sealed partial class SubscriptionPump : IDisposable
{
    /// <summary>Deliveries at the same time of single events, when the component's metadata names no <c>concurrency</c> (Redis:
    /// 10).</summary>
    public const int DefaultConcurrency = 10;

    /// <summary>Bulk deliveries at the same time, when the component's metadata names no <c>bulkConcurrency</c>. One keeps the
    /// order.</summary>
    public const int DefaultBulkConcurrency = 1;

    /// <summary>Pause before redelivery from the queue: where the component requeues, or no policy says otherwise and strict mode
    /// is off.</summary>
    public static readonly TimeSpan RedeliveryPause = TimeSpan.FromSeconds(1);

    private readonly TopicSubscription _subscription;
    private readonly IConsumerQueue _queue;
    private readonly EventDelivery _delivery;
    private readonly Func<IReadOnlyList<TopicMessage>, CancellationToken, Task> _publishDead;
    private readonly TargetPolicy _policy;
    private readonly InjectedFaults _faults;
    private readonly LocalDaprOptions _options;
    private readonly SemaphoreSlim _deliveries;
    private readonly SemaphoreSlim _unacknowledged;
    private readonly int _batchMessages;
    private readonly bool _requeues;
    private readonly RunningTasks _running = new();
    private readonly ILogger _logger;

    public SubscriptionPump(TopicSubscription subscription, Component component, IConsumerQueue queue, AppChannel channel,
        TargetPolicy policy,
        Func<IReadOnlyList<TopicMessage>, CancellationToken, Task> publishDead, InjectedFaults faults, LocalDaprOptions options)
    {
        _subscription = subscription;
        _queue = queue;
        _delivery = new EventDelivery(subscription, channel, options.Strict);
        _policy = policy;
        _requeues = component.RequeuesFailures;
        _publishDead = publishDead;
        _faults = faults;
        _options = options;
        _deliveries = new SemaphoreSlim(subscription.Bulk is null
            ? component.MetadataNumber("concurrency", DefaultConcurrency)
            : component.MetadataNumber("bulkConcurrency", DefaultBulkConcurrency));
        _unacknowledged = new SemaphoreSlim(options.Limits.UnacknowledgedMessages);
        _batchMessages = Math.Min(subscription.Bulk?.MaximumMessages ?? 1, options.Limits.UnacknowledgedMessages);
        _logger = options.LoggerFactory.CreateLogger<SubscriptionPump>();
    }

    /// <summary>Delivers until stopped, and returns when what was under way has ended.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                await _unacknowledged.WaitAsync(stopping).ConfigureAwait(false);
                await _queue.WaitAsync(stopping).ConfigureAwait(false);
                // Last, so that a retry finds a free place while the topic is quiet.
                await _deliveries.WaitAsync(stopping).ConfigureAwait(false);
                var batch = await GatherAsync(stopping).ConfigureAwait(false);
                _running.Track(ProcessAsync(batch, stopping));
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            await _running.WaitAsync(_options.Limits.GracefulShutdown, _options.TimeProvider).ConfigureAwait(false);
        }
    }

    /// <summary>The next messages: as many as the subscription takes, or what came within its wait after the first.</summary>
    private async Task<List<TopicMessage>> GatherAsync(CancellationToken stopping)
    {
        var batch = new List<TopicMessage>(_batchMessages);
        using var window = _batchMessages == 1 ? null
            : new CancellationTokenSource(TimeSpan.FromMilliseconds(_subscription.Bulk!.MaximumAwaitMs), _options.TimeProvider);
        using var ends = window is null ? null : CancellationTokenSource.CreateLinkedTokenSource(stopping, window.Token);
        var bytes = 0L;
        while (true)
        {
            while (batch.Count < _batchMessages && bytes < _options.Limits.BulkDeliveryBytes && TakeNext(batch.Count == 0) is { } message)
            {
                batch.Add(message);
                bytes += message.Payload.Length;
            }

            if (batch.Count > 0 && (window is null || window.IsCancellationRequested || batch.Count >= _batchMessages
                || bytes >= _options.Limits.BulkDeliveryBytes))
                return batch;
            await _queue.WaitAsync(batch.Count == 0 ? stopping : ends!.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            stopping.ThrowIfCancellationRequested();
        }
    }

    /// <summary>The next message if there is one and another may be unacknowledged; the place of the first is held
    /// already.</summary>
    private TopicMessage? TakeNext(bool isFirst)
    {
        if (!isFirst && !_unacknowledged.Wait(0))
            return null;
        var message = _queue.TryTake();
        if (message is null && !isFirst)
            _unacknowledged.Release();
        return message;
    }

    /// <summary>Sees a batch through to the end. Enters holding one of <see cref="_deliveries"/>.</summary>
    private async Task ProcessAsync(List<TopicMessage> batch, CancellationToken stopping)
    {
        var holds = true;
        try
        {
            var left = await SettleUndeliverableAsync(batch).ConfigureAwait(false);
            for (var retry = 1; left.Count > 0; retry++)
            {
                if (!holds)
                    await _deliveries.WaitAsync(stopping).ConfigureAwait(false);
                holds = true;
                left = await DeliverAsync(left, stopping).ConfigureAwait(false);
                if (left.Count == 0 || await EndWithoutRetryAsync(left, retry, stopping).ConfigureAwait(false) is not { } pause)
                    break;
                _deliveries.Release();
                holds = false;
                await Task.Delay(pause, _options.TimeProvider, stopping).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // What is durable comes again after the next start.
        }
        catch (Exception failure)
        {
            LogPumpFailed(_logger, _queue.Topic, failure);
        }
        finally
        {
            if (holds)
                _deliveries.Release();
            _unacknowledged.Release(batch.Count);
        }
    }

    /// <summary>Takes out what has expired and what no subscriber of this kind can read.</summary>
    private async Task<List<TopicMessage>> SettleUndeliverableAsync(List<TopicMessage> batch)
    {
        var now = _options.TimeProvider.GetUtcNow();
        var expired = batch.FindAll(message => message.Kind != PayloadKind.Raw && CloudEvents.HasExpired(message.Payload.Span, now));
        var unreadable = _subscription is { Bulk: not null, RawPayload: false }
            ? batch.FindAll(static message => message.Kind == PayloadKind.Raw && !EventDelivery.IsJsonObject(message.Payload.Span))
            : [];
        if (expired.Count + unreadable.Count == 0)
            return batch;
        await _queue.SettleAsync(expired).ConfigureAwait(false);
        await DropAsync(unreadable, CancellationToken.None).ConfigureAwait(false);
        return [.. batch.Except(expired).Except(unreadable)];
    }

    /// <summary>One delivery; returns what is to be retried.</summary>
    private async Task<List<TopicMessage>> DeliverAsync(List<TopicMessage> messages, CancellationToken stopping)
    {
        if (_faults.TakeReorder(_subscription.Topic))
            messages.Reverse();
        var statuses = await TryDeliverAsync(messages, stopping).ConfigureAwait(false);
        if (_faults.TakeDuplicate(_subscription.Topic))
            await TryDeliverAsync(messages, stopping).ConfigureAwait(false);
        var done = Having(messages, statuses, static status => status is DeliveryStatus.Success or DeliveryStatus.Lost);
        if (statuses.Contains(DeliveryStatus.Lost))
            LogLostNotFound(_logger, done.Count, _queue.Topic, _subscription.Route);
        if (done.Count > 0)
            await _queue.SettleAsync(done).ConfigureAwait(false);
        await DropAsync(Having(messages, statuses, static status => status is DeliveryStatus.Drop), stopping).ConfigureAwait(false);
        return Having(messages, statuses, static status => status is DeliveryStatus.Retry);
    }

    private static List<TopicMessage> Having(List<TopicMessage> messages, DeliveryStatus[] statuses, Predicate<DeliveryStatus> condition)
    {
        if (Array.TrueForAll(statuses, condition))
            return messages;
        var found = new List<TopicMessage>();
        for (var index = 0; index < messages.Count; index++)
        {
            if (condition(statuses[index]))
                found.Add(messages[index]);
        }

        return found;
    }

    private async Task<DeliveryStatus[]> TryDeliverAsync(List<TopicMessage> messages, CancellationToken stopping)
    {
        using var limit = _policy.Timeout is { } timeout ? new CancellationTokenSource(timeout, _options.TimeProvider) : null;
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(stopping, limit?.Token ?? CancellationToken.None);
        try
        {
            return await _delivery.DeliverAsync(messages, ends.Token).ConfigureAwait(false);
        }
        catch (Exception failure)
            when (failure is HttpRequestException or IOException or BodyTooLargeException
            || (failure is OperationCanceledException && !stopping.IsCancellationRequested))
        {
            LogDeliveryFailed(_logger, messages.Count, _queue.Topic, failure.Message);
            var statuses = new DeliveryStatus[messages.Count];
            Array.Fill(statuses, DeliveryStatus.Retry);
            return statuses;
        }
    }

    /// <summary>The pause before the next try, or null when there is none and the messages are dealt with.</summary>
    private async Task<TimeSpan?> EndWithoutRetryAsync(List<TopicMessage> messages, int retry, CancellationToken stopping)
    {
        if (_policy.Retry?.PauseBefore(retry) is { } pause)
            return pause;
        if (_subscription.DeadLetterTopic is null && (_requeues || (_policy.Retry is null && !_options.Strict)))
            return RedeliveryPause;
        await DropAsync(messages, stopping).ConfigureAwait(false);
        return null;
    }

    private async Task DropAsync(List<TopicMessage> messages, CancellationToken stopping)
    {
        if (messages.Count == 0)
            return;
        if (_subscription.DeadLetterTopic is null)
            LogDropped(_logger, messages.Count, _queue.Topic);
        else
            await _publishDead(messages, stopping).ConfigureAwait(false);
        await _queue.SettleAsync(messages).ConfigureAwait(false);
    }

    public void Dispose()
    {
        _deliveries.Dispose();
        _unacknowledged.Dispose();
    }

    [LoggerMessage(40, LogLevel.Warning, "{Count} events of topic {Topic} could not be delivered: {Reason}")]
    private static partial void LogDeliveryFailed(ILogger logger, int count, TopicName topic, string reason);

    [LoggerMessage(41, LogLevel.Warning, "{Count} events of topic {Topic} are dropped: no retry is left and there is no dead letter topic")]
    private static partial void LogDropped(ILogger logger, int count, TopicName topic);

    [LoggerMessage(42, LogLevel.Error,
        "{Count} events of topic {Topic} are lost: the app answered 404 at {Route}, which daprd acknowledges in bulk deliveries")]
    private static partial void LogLostNotFound(ILogger logger, int count, TopicName topic, string route);

    [LoggerMessage(43, LogLevel.Error, "A delivery of topic {Topic} broke off")]
    private static partial void LogPumpFailed(ILogger logger, TopicName topic, Exception failure);
}
