namespace StripeMeter.LocalDapr.PubSub;

/// <summary>A topic of a pub/sub component.</summary>
internal readonly record struct TopicName(string PubSub, string Topic)
{
    public override string ToString() => $"{PubSub}/{Topic}";
}

/// <summary>What the payload of a message is.</summary>
internal enum PayloadKind
{
    /// <summary>A CloudEvent whose data is text or base64.</summary>
    Event = 0,

    /// <summary>A CloudEvent whose data is JSON, in which daprd's bulk path rounds large integers.</summary>
    JsonEvent = 1,

    /// <summary>Published with rawPayload: no envelope.</summary>
    Raw = 2,
}

/// <summary>One message on its way to one consumer.</summary>
internal sealed record TopicMessage(PayloadKind Kind, ReadOnlyMemory<byte> Payload)
{
    /// <summary>Row of a durable message; 0 in memory.</summary>
    public long Id { get; init; }
}

/// <summary>A queue stayed full for as long as publishing may wait.</summary>
internal sealed class QueueFullException(TopicName topic, string consumer)
    : Exception($"the queue of '{consumer}' for topic '{topic}' is full");
