using System.Text;
using Grpc.Core;
using StripeMeter.LocalDapr.Api;
using StripeMeter.LocalDapr.Transport;
using StripeMeter.LocalDapr.Placement;
using Yarp.ReverseProxy.Forwarder;

namespace StripeMeter.LocalDapr.Invocation;

/// <summary>
/// Service invocation: HTTP calls and gRPC of every kind pass through to the app they name, streams, trailers and deadlines
/// included. An app of this process is called directly, another through the sidecar that owns it.
/// </summary>
internal sealed class ServiceInvoker(Sidecar sidecar, PeerDirectory peers, IHttpForwarder forwarder)
{
    private const string Prefix = "/v1.0/invoke/";
    private const string MethodSegment = "/method/";

    /// <summary>Like daprd the proxy sets no limit of its own on a call or on the silence of a stream.</summary>
    private static readonly TimeSpan NoTimeout = Timeout.InfiniteTimeSpan;

    public void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.Map(Prefix + "{appId}/method/{**path}", InvokePathAsync);
        endpoints.Map("/{**path}", InvokeHeaderAsync).WithOrder(int.MaxValue);
    }

    private Task InvokePathAsync(HttpContext context)
    {
        // The raw target keeps the escapes of the path that belongs to the app.
        var target = RawPath(context);
        var at = target.IndexOf(MethodSegment, Prefix.Length, StringComparison.Ordinal);
        return InvokeAsync(context, (string)context.Request.RouteValues["appId"]!, at < 0 ? "/"
            : target[(at + MethodSegment.Length - 1)..]);
    }

    private Task InvokeHeaderAsync(HttpContext context)
    {
        var appId = TargetOf(context.Request.Headers);
        if (appId is not null)
            return InvokeAsync(context, appId, RawPath(context));
        return ApiError.IsGrpc(context.Request)
            ? ApiError.WriteGrpcAsync(context, StatusCode.Unimplemented,
                $"localdapr does not support {context.Request.Path}, and no {DaprHeaders.AppId} says whom to call")
            : ApiError.WriteAsync(context, StatusCodes.Status404NotFound, "ERR_DIRECT_INVOKE",
                $"localdapr does not support {context.Request.Method} {context.Request.Path}, and no {DaprHeaders.AppId} says whom to call");
    }

    private static string RawPath(HttpContext context)
    {
        var raw = context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget;
        var query = raw.IndexOf('?', StringComparison.Ordinal);
        var path = query < 0 ? raw : raw[..query];
        while (path.Contains("//", StringComparison.Ordinal))
            path = path.Replace("//", "/", StringComparison.Ordinal);
        return path;
    }

    private static string? TargetOf(IHeaderDictionary headers)
    {
        foreach (var name in new[] { DaprHeaders.AppId, DaprHeaders.CalleeAppId })
        {
            if (headers.TryGetValue(name, out var value) && value.ToString() is { Length: > 0 } appId)
                return appId;
        }

        return BasicAuthTarget(headers.Authorization.ToString());
    }

    /// <summary>daprd also takes the target from basic auth, as user <c>dapr-app-id</c> with the app id for a password.</summary>
    private static string? BasicAuthTarget(string authorization)
    {
        const string scheme = "Basic ";
        if (!authorization.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
            return null;
        var bytes = new byte[authorization.Length];
        if (!Convert.TryFromBase64String(authorization[scheme.Length..], bytes, out var length))
            return null;
        var pair = Encoding.UTF8.GetString(bytes, 0, length).Split(':', 2);
        return pair is [DaprHeaders.AppId, { Length: > 0 } appId] ? appId : null;
    }

    private async Task InvokeAsync(HttpContext context, string appId, string path)
    {
        if (!ApiError.IsGrpc(context.Request) && context.Request.ContentLength > sidecar.App.MaximumBodyBytes)
        {
            await ApiError.WriteAsync(context, StatusCodes.Status413PayloadTooLarge, "ERR_DIRECT_INVOKE",
                new BodyTooLargeException(sidecar.App.MaximumBodyBytes).Message).ConfigureAwait(false);
            return;
        }

        if (sidecar.Group.Find(appId) is { App.AppPort: not null } target)
            await ForwardAsync(context, target.Channel, appId, path).ConfigureAwait(false);
        else if (!Gate.IsFromPeer(context) && peers.Others.LastOrDefault(peer => peer.AppId == appId) is { } peer)
            await HandOnAsync(context, peer).ConfigureAwait(false);
        else
            await FailAsync(context, appId, $"failed to resolve address for '{appId}'").ConfigureAwait(false);
    }

    private async Task ForwardAsync(HttpContext context, AppChannel channel, string appId, string path)
    {
        if (ApiError.IsGrpc(context.Request) && channel.Protocol == AppProtocol.Http)
        {
            await FailAsync(context, appId,
                $"app '{appId}' has app protocol http, over which gRPC cannot be proxied; use h2c or grpc").ConfigureAwait(false);
            return;
        }

        if (channel.BaseAddress.Length == 0)
        {
            await FailAsync(context, appId, $"app '{appId}' does not listen yet").ConfigureAwait(false);
            return;
        }

        var request = new ForwarderRequestConfig { Version = channel.HttpVersion,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact, ActivityTimeout = NoTimeout };
        var transformer = new InvocationTransformer(path, message =>
        {
            channel.Authorize(message);
            message.Headers.Remove(DaprHeaders.Peer);
            message.Headers.TryAddWithoutValidation(DaprHeaders.CallerAppId, sidecar.AppId);
            message.Headers.Remove(DaprHeaders.CalleeAppId);
            message.Headers.TryAddWithoutValidation(DaprHeaders.CalleeAppId, appId);
        });
        await SendAsync(context, channel.BaseAddress, channel.Invoker, request, transformer, appId).ConfigureAwait(false);
    }

    private async Task HandOnAsync(HttpContext context, Peer peer)
    {
        var request = new ForwarderRequestConfig { Version = System.Net.HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact, ActivityTimeout = NoTimeout };
        var transformer = new InvocationTransformer(RawPath(context), message =>
        {
            message.Headers.Remove(DaprHeaders.ApiToken);
            message.Headers.TryAddWithoutValidation(DaprHeaders.Peer, peer.Token);
        });
        if (await SendAsync(context, peer.Address, peers.Client.Invoker, request, transformer, peer.AppId)
            .ConfigureAwait(false) == ForwarderError.Request)
            peers.MarkUnreachable(peer);
    }

    private async Task<ForwarderError> SendAsync(HttpContext context, string address, HttpMessageInvoker invoker,
        ForwarderRequestConfig request, HttpTransformer transformer, string appId)
    {
        var messages = ApiError.IsGrpc(context.Request) ? new MessageLimitStream(context.Request.Body, sidecar.App.MaximumBodyBytes) : null;
        if (messages is not null)
            context.Request.Body = messages;
        var error = await forwarder.SendAsync(context, address, invoker, request, transformer).ConfigureAwait(false);
        if (messages is { IsExceeded: true })
            await ApiError.WriteGrpcAsync(context, StatusCode.ResourceExhausted,
                new BodyTooLargeException(sidecar.App.MaximumBodyBytes).Message).ConfigureAwait(false);
        else if (error != ForwarderError.None && !context.RequestAborted.IsCancellationRequested)
            await FailAsync(context, appId,
                $"failed to invoke '{appId}': {context.GetForwarderErrorFeature()?.Exception?.Message ?? error.ToString()}").ConfigureAwait(false);
        return error;
    }

    private static Task FailAsync(HttpContext context, string appId, string message) =>
        ApiError.IsGrpc(context.Request)
            ? ApiError.WriteGrpcAsync(context, StatusCode.Unavailable, message)
            : ApiError.WriteAsync(context, StatusCodes.Status500InternalServerError, "ERR_DIRECT_INVOKE",
                $"fail to invoke, id: {appId}, err: {message}");
}
