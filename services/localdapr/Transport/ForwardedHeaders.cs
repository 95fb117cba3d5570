using System.Collections.Frozen;
using Microsoft.Extensions.Primitives;

namespace StripeMeter.LocalDapr.Transport;

/// <summary>Which headers travel through a sidecar.</summary>
internal static class ForwardedHeaders
{
    private static readonly FrozenSet<string> Held = new[]
    {
        "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "TE", "Upgrade", "Host", "Content-Length", "Date",
            "Server", "Expect",
        DaprHeaders.ApiToken, DaprHeaders.Peer,
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public static void Copy(IHeaderDictionary source, HttpRequestMessage target)
    {
        foreach (var (name, values) in source)
        {
            if (name.StartsWith(':') || Held.Contains(name))
                continue;
            if (!target.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values))
                target.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        }
    }

    public static void Copy(HttpResponseMessage source, HttpResponse target)
    {
        foreach (var (name, values) in source.Headers.NonValidated)
        {
            if (!Held.Contains(name))
                target.Headers[name] = new StringValues([.. values]);
        }

        foreach (var (name, values) in source.Content.Headers.NonValidated)
        {
            if (!Held.Contains(name))
                target.Headers[name] = new StringValues([.. values]);
        }
    }
}
