namespace StripeMeter.LocalDapr;

/// <summary>Bounds of every queue and wait of a sidecar, with their defaults.</summary>
public sealed record LocalDaprLimits
{
    /// <summary>Messages one consumer may leave waiting in a topic held in memory.</summary>
    public int MemoryTopicMessages { get; init; } = 20_000;

    /// <summary>Bytes one consumer may leave waiting in a topic held in memory.</summary>
    public long MemoryTopicBytes { get; init; } = 64L * 1024 * 1024;

    /// <summary>Messages one consumer may leave waiting in a durable topic.</summary>
    public int DurableTopicMessages { get; init; } = 1_000_000;

    /// <summary>How long publishing waits for a full queue before it fails with ResourceExhausted.</summary>
    public TimeSpan PublishWait { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Messages of one subscription that are delivered or wait for a retry at the same time.</summary>
    public int UnacknowledgedMessages { get; init; } = 1_000;

    /// <summary>Bytes of events in one bulk delivery; a single larger event travels alone.</summary>
    public int BulkDeliveryBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Calls that wait for the turn of one actor.</summary>
    public int WaitingTurnsPerActor { get; init; } = 10_000;

    /// <summary>Actors one sidecar keeps active.</summary>
    public int ActiveActors { get; init; } = 200_000;

    /// <summary>Reminders that fire at the same time.</summary>
    public int FiringReminders { get; init; } = 64;

    /// <summary>How long a call waits for some app to host the actor's type.</summary>
    public TimeSpan PlacementWait { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a stopping sidecar waits for calls in flight (<c>--dapr-graceful-shutdown-seconds</c>).</summary>
    public TimeSpan GracefulShutdown { get; init; } = TimeSpan.FromSeconds(5);

    internal void Validate()
    {
        foreach (var (name, value) in new (string, long)[]
        {
            (nameof(MemoryTopicMessages), MemoryTopicMessages), (nameof(MemoryTopicBytes), MemoryTopicBytes),
            (nameof(DurableTopicMessages), DurableTopicMessages), (nameof(UnacknowledgedMessages), UnacknowledgedMessages),
            (nameof(BulkDeliveryBytes), BulkDeliveryBytes), (nameof(WaitingTurnsPerActor), WaitingTurnsPerActor),
            (nameof(ActiveActors), ActiveActors), (nameof(FiringReminders), FiringReminders),
        })
        {
            if (value < 1)
                throw new LocalDaprConfigurationException($"{name} is {value}; it must be at least 1");
        }
    }
}
