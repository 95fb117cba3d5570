using System.Collections.Concurrent;

namespace StripeMeter.StripeDouble.Http;

/// <summary>Names that at most one request holds at a time. Holds as many as there are requests in flight.</summary>
internal sealed class Claims
{
    private readonly ConcurrentDictionary<string, bool> _held = new(StringComparer.Ordinal);

    /// <summary>Holds a name until the result is disposed; null when another request holds it.</summary>
    public IDisposable? TryClaim(string name) => _held.TryAdd(name, true) ? new Claim(this, name) : null;

    private sealed class Claim(Claims claims, string name) : IDisposable
    {
        public void Dispose() => claims._held.TryRemove(name, out _);
    }
}
