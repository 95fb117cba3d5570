namespace StripeMeter.Gateway.Requests;

/// <summary>
/// Headers that keep browsers from making more of an answer than it is: it is data, not part of a page, and nobody else's
/// to keep. The documentation's page brings its own script, and may run that alone.
/// </summary>
public sealed class SecurityHeaders(RequestDelegate next)
{
    private const string ForData = "default-src 'none'; frame-ancestors 'none'";
    private const string ForPages =
        "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; frame-ancestors 'none'";

    private const string OneYear = "max-age=31536000; includeSubDomains";
    private static readonly PathString Pages = "/docs";

    public Task InvokeAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.Response.OnStarting(static state =>
        {
            var answered = (HttpContext)state;
            var isPage = answered.Request.Path.StartsWithSegments(Pages);
            var headers = answered.Response.Headers;
            headers.XContentTypeOptions = "nosniff";
            headers.XFrameOptions = "DENY";
            headers["Referrer-Policy"] = "no-referrer";
            headers.ContentSecurityPolicy = isPage ? ForPages : ForData;
            if (!isPage && headers.CacheControl.Count == 0)
                headers.CacheControl = "no-store";
            if (answered.Request.IsHttps)
                headers.StrictTransportSecurity = OneYear;
            return Task.CompletedTask;
        }, context);
        return next(context);
    }
}
