using StripeMeter.LocalDapr.Actors;

namespace StripeMeter.LocalDapr.Placement;

/// <summary>Where an actor lives: in a sidecar of this process or in one of another. Both are null while nobody hosts its
/// type.</summary>
internal readonly record struct ActorOwner(ActorHost? Here, Peer? There);

/// <summary>
/// Decides which sidecar an actor lives in. Where several host its type the highest hash of (sidecar, actor) wins, so every
/// process that sees the same group decides alike and a change of the group moves few actors.
/// </summary>
internal sealed class ActorPlacement(PeerDirectory peers)
{
    private readonly Lock _gate = new();
    private IReadOnlyList<(string Instance, ActorHost Host)> _hosts = [];

    /// <summary>Adds the actors of a sidecar of this process.</summary>
    public void Add(string instance, ActorHost host)
    {
        lock (_gate)
            Volatile.Write(ref _hosts, [.. _hosts, (instance, host)]);
    }

    public void Remove(string instance)
    {
        lock (_gate)
            Volatile.Write(ref _hosts, [.. _hosts.Where(entry => entry.Instance != instance)]);
    }

    public ActorOwner Find(ActorKey key)
    {
        var owner = default(ActorOwner);
        var best = 0UL;
        foreach (var (instance, host) in Volatile.Read(ref _hosts))
        {
            if (host.Hosts(key.Type) && Weigh(instance, key) is var weight && (weight >= best || owner == default))
                (owner, best) = (new ActorOwner(host, null), weight);
        }

        foreach (var peer in peers.Others)
        {
            if (peer.ActorTypes.Contains(key.Type) && Weigh(peer.Instance, key) is var weight && (weight >= best || owner == default))
                (owner, best) = (new ActorOwner(null, peer), weight);
        }

        return owner;
    }

    /// <summary>FNV-1a: stable between processes, which string hash codes are not.</summary>
    private static ulong Weigh(string instance, ActorKey key) =>
        unchecked(Mix(Mix(Mix(14695981039346656037UL, instance), key.Type), key.Id) * 0x9E3779B97F4A7C15UL);

    private static ulong Mix(ulong hash, string text)
    {
        foreach (var character in text)
            hash = unchecked((hash ^ character) * 1099511628211UL);
        return hash;
    }
}
