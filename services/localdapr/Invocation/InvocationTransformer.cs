using Yarp.ReverseProxy.Forwarder;

namespace StripeMeter.LocalDapr.Invocation;

/// <summary>Addresses a forwarded request to a path of the target and changes its headers.</summary>
internal sealed class InvocationTransformer(string path, Action<HttpRequestMessage> change) : HttpTransformer
{
    private static readonly UriCreationOptions AsItIs = new() { DangerousDisablePathAndQueryCanonicalization = true };

    public override async ValueTask TransformRequestAsync(HttpContext httpContext, HttpRequestMessage proxyRequest,
        string destinationPrefix, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken).ConfigureAwait(false);
        proxyRequest.RequestUri = new Uri(destinationPrefix + path + httpContext.Request.QueryString, AsItIs);
        proxyRequest.Headers.Host = null;
        change(proxyRequest);
    }
}
