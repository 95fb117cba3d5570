using StripeMeter.Sqlite;

namespace StripeMeter.LocalDapr.PubSub;

/// <summary>
/// The durable topics in the file of the group. As with a RabbitMQ exchange each consumer that has ever subscribed has a queue of
/// its own, and what is published while nobody has subscribed is gone.
/// </summary>
internal sealed class DurableTopics(SqliteFile file, LocalDaprLimits limits, TimeProvider time)
{
    /// <summary>Pause between two looks at a full queue.</summary>
    public static readonly TimeSpan FullPollInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>Makes sure the consumer has a queue and returns its number.</summary>
    public async Task<long> OpenGroupAsync(TopicName topic, string appId)
    {
        var id = 0L;
        await file.WriteAsync(SqliteDurability.Power, session =>
        {
            using (var insert = session.Prepare("INSERT OR IGNORE INTO topic_groups (pubsub, topic, app_id) VALUES (?1, ?2, ?3)"))
                insert.Bind(1, topic.PubSub).Bind(2, topic.Topic).Bind(3, appId).Run();
            using var select = session.Prepare("SELECT id FROM topic_groups WHERE pubsub = ?1 AND topic = ?2 AND app_id = ?3");
            select.Bind(1, topic.PubSub).Bind(2, topic.Topic).Bind(3, appId).Step();
            id = select.Number(0);
        }).ConfigureAwait(false);
        return id;
    }

    /// <summary>Publishes all messages or none, to every consumer.</summary>
    /// <exception cref="QueueFullException">A consumer's queue stayed full for
    /// <see cref="LocalDaprLimits.PublishWait"/>.</exception>
    public async Task PublishAsync(TopicName topic, IReadOnlyList<TopicMessage> messages, CancellationToken cancellation)
    {
        var start = time.GetTimestamp();
        while (true)
        {
            var full = await file.WriteAsync(
                SqliteDurability.Power, session => TryInsert(session, topic, messages), cancellation).ConfigureAwait(false);
            if (full is null)
                return;
            if (time.GetElapsedTime(start) >= limits.PublishWait)
                throw new QueueFullException(topic, full);
            await Task.Delay(FullPollInterval, time, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The consumer whose queue is full, or null when all have the messages.</summary>
    private string? TryInsert(SqliteSession session, TopicName topic, IReadOnlyList<TopicMessage> messages)
    {
        var groups = new List<long>();
        using (var select = session.Prepare("SELECT id, app_id, depth FROM topic_groups WHERE pubsub = ?1 AND topic = ?2"))
        {
            select.Bind(1, topic.PubSub).Bind(2, topic.Topic);
            while (select.Step())
            {
                if (select.Number(2) > 0 && select.Number(2) + messages.Count > limits.DurableTopicMessages)
                    return select.Text(1);
                groups.Add(select.Number(0));
            }
        }

        foreach (var group in groups)
            Insert(session, group, messages);
        return null;
    }

    private static void Insert(SqliteSession session, long group, IReadOnlyList<TopicMessage> messages)
    {
        foreach (var message in messages)
        {
            using var insert = session.Prepare("INSERT INTO messages (group_id, payload, kind) VALUES (?1, ?2, ?3)");
            insert.Bind(1, group).Bind(2, message.Payload.Span).Bind(3, (long)message.Kind).Run();
        }

        ChangeDepth(session, group, messages.Count);
    }

    private static void ChangeDepth(SqliteSession session, long group, long change)
    {
        using var update = session.Prepare("UPDATE topic_groups SET depth = max(0, depth + ?2) WHERE id = ?1");
        update.Bind(1, group).Bind(2, change).Run();
    }

    /// <summary>The messages of a consumer after a row, in order.</summary>
    public IReadOnlyList<TopicMessage> Read(long group, long after, int limit) =>
        file.Read((group, after, limit), static (session, argument) =>
    {
        using var select = session.Prepare("SELECT id, payload, kind FROM messages WHERE group_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3");
        select.Bind(1, argument.group).Bind(2, argument.after).Bind(3, argument.limit);
        var found = new List<TopicMessage>();
        while (select.Step())
            found.Add(new TopicMessage((PayloadKind)select.Number(2), select.Blob(1).ToArray()) { Id = select.Number(0) });
        return found;
    });

    /// <summary>Forgets messages that a consumer has acknowledged. Losing this to a power cut means receiving them again, which
    /// is allowed.</summary>
    public Task RemoveAsync(long group, IReadOnlyList<TopicMessage> messages) => file.WriteAsync(SqliteDurability.Process, session =>
    {
        var removed = 0;
        foreach (var message in messages)
        {
            using var delete = session.Prepare("DELETE FROM messages WHERE id = ?1");
            delete.Bind(1, message.Id).Run();
            removed += session.Changes;
        }

        ChangeDepth(session, group, -removed);
    });
}
