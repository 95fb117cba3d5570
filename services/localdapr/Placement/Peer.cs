using System.Collections.Frozen;

namespace StripeMeter.LocalDapr.Placement;

/// <summary>A sidecar of the group that another process runs.</summary>
internal sealed record Peer
{
    /// <summary>Names this start of the sidecar.</summary>
    public required string Instance { get; init; }

    public required string AppId { get; init; }

    /// <summary><c>http://host:port</c> of its HTTP/2 port.</summary>
    public required string Address { get; init; }

    /// <summary>What a call from a sidecar of the group carries instead of the api token.</summary>
    public required string Token { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset SeenAt { get; init; }

    public required FrozenSet<string> ActorTypes { get; init; }

    /// <summary>Topics in memory it has consumers for, as <c>pubsub/topic</c>.</summary>
    public required FrozenSet<string> MemoryTopics { get; init; }
}
