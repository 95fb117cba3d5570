using StripeMeter.LocalDapr.Transport;

namespace StripeMeter.LocalDapr.Actors;

/// <summary>One call of an actor: <paramref name="Method"/> is the escaped path after <c>method/</c>.</summary>
internal sealed record ActorCall(ActorKey Key, string Method, ReadOnlyMemory<byte> Body, IHeaderDictionary? Headers)
{
    /// <summary>The chain of calls this one belongs to, when it belongs to one.</summary>
    public string? ChainId =>
        Headers is not null && Headers.TryGetValue(DaprHeaders.ReentrancyId, out var values) ? values.ToString() : null;
}
