using System.Security.Cryptography;
using System.Text;
using StripeMeter.LocalDapr.Transport;

namespace StripeMeter.LocalDapr.Api;

/// <summary>What every request passes before it is routed: clean paths, tokens and daprd's limits on headers.</summary>
internal sealed class Gate(string? apiToken, string peerToken, int maximumHeaderBytes, bool strict)
{
    private static readonly object PeerMark = new();

    /// <summary>True for a request that another sidecar of the group handed on.</summary>
    public static bool IsFromPeer(HttpContext context) => context.Items.ContainsKey(PeerMark);

    public Task PassAsync(HttpContext context, RequestDelegate next)
    {
        context.Request.Path = Clean(context.Request.Path);
        if (context.Request.Headers.TryGetValue(DaprHeaders.Peer, out var secret))
        {
            if (!Matches(secret.ToString(), peerToken))
                return RefuseAsync(context, StatusCodes.Status401Unauthorized, Grpc.Core.StatusCode.Unauthenticated,
                    "this is not the sidecar that the call was meant for");
            context.Items[PeerMark] = PeerMark;
            return next(context);
        }

        if (apiToken is { Length: > 0 } && !IsHealth(context.Request.Path)
            && !Matches(context.Request.Headers[DaprHeaders.ApiToken].ToString(), apiToken))
            return RefuseAsync(context, StatusCodes.Status401Unauthorized, Grpc.Core.StatusCode.Unauthenticated, "invalid api token");
        if (strict && !ApiError.IsGrpc(context.Request) && BytesOf(context.Request.Headers) > maximumHeaderBytes)
            return RefuseAsync(context, StatusCodes.Status431RequestHeaderFieldsTooLarge, Grpc.Core.StatusCode.ResourceExhausted,
                $"the headers are longer than the {maximumHeaderBytes} bytes that --read-buffer-size allows");
        return next(context);
    }

    /// <summary>The SDK's default endpoint ends in a slash, so its paths begin with two; daprd cleans them too.</summary>
    private static PathString Clean(PathString path)
    {
        var text = path.Value;
        if (text is null || !text.Contains("//", StringComparison.Ordinal))
            return path;
        var cleaned = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            if (character != '/' || cleaned.Length == 0 || cleaned[^1] != '/')
                cleaned.Append(character);
        }

        return new PathString(cleaned.ToString());
    }

    private static bool IsHealth(PathString path) => path.StartsWithSegments("/v1.0/healthz", StringComparison.Ordinal);

    private static bool Matches(string given, string expected) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(given), Encoding.UTF8.GetBytes(expected));

    private static int BytesOf(IHeaderDictionary headers)
    {
        var bytes = 0;
        foreach (var (name, values) in headers)
        {
            foreach (var value in values)
                bytes += name.Length + (value?.Length ?? 0) + 4;
        }

        return bytes;
    }

    private static Task RefuseAsync(HttpContext context, int status, Grpc.Core.StatusCode grpcStatus, string message) =>
        ApiError.IsGrpc(context.Request)
            ? ApiError.WriteGrpcAsync(context, grpcStatus, message)
            : ApiError.WriteAsync(context, status, status == StatusCodes.Status401Unauthorized ? "ERR_UNAUTHORIZED"
                : "ERR_HEADERS_TOO_LARGE", message);
}
