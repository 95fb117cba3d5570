using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using StripeMeter.Metering.Identity;
using StripeMeter.Metering.Time;

namespace StripeMeter.Defaults.Access;

/// <summary>A key that is good.</summary>
/// <param name="Principal">Whose it is.</param>
/// <param name="Expires">When it ends by itself.</param>
public sealed record VerifiedKey(Principal Principal, Instant? Expires);

/// <summary>Where keys are looked up.</summary>
public interface IKeySource
{
    /// <summary>Null for a key that is nobody's, or not usable now.</summary>
    Task<VerifiedKey?> VerifyAsync(string key, CancellationToken cancellation);
}

/// <summary>
/// Remembers for a moment what the source said of a key, good or not: a key in use costs a look every three seconds, and one
/// that is revoked is refused as soon. Keys are remembered by their hash, never as they are.
/// </summary>
public sealed class VerifiedKeys(IKeySource source, AccessOptions options, TimeProvider clock)
{
    /// <summary>How long an answer holds. With the look itself it keeps a revocation below five seconds.</summary>
    public static readonly TimeSpan HoldsFor = TimeSpan.FromSeconds(3);

    private readonly ConcurrentDictionary<(UInt128, UInt128), Held> _held = new();

    public ValueTask<Principal?> FindAsync(string key, CancellationToken cancellation)
    {
        var hash = HashOf(key);
        var now = Instant.Of(clock.GetUtcNow());
        return _held.TryGetValue(hash, out var held) && now < held.Until ? new(held.Principal) : LookAsync(key, hash, cancellation);
    }

    private async ValueTask<Principal?> LookAsync(string key, (UInt128, UInt128) hash, CancellationToken cancellation)
    {
        var found = await source.VerifyAsync(key, cancellation).ConfigureAwait(false);
        var now = Instant.Of(clock.GetUtcNow());
        var until = found?.Expires is { } end ? Instant.Min(end, now + HoldsFor) : now + HoldsFor;
        MakeRoom(now);
        if (_held.Count < options.CachedKeys)
            _held[hash] = new Held(found?.Principal, until);
        return found?.Principal;
    }

    private void MakeRoom(Instant now)
    {
        if (_held.Count < options.CachedKeys)
            return;
        foreach (var (hash, held) in _held)
        {
            if (held.Until <= now)
                _held.TryRemove(hash, out _);
        }
    }

    private static (UInt128 High, UInt128 Low) HashOf(string key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(key), hash);
        return (System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(hash), System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(hash[16..]));
    }

    private sealed record Held(Principal? Principal, Instant Until);
}
