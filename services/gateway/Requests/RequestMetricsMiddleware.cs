namespace StripeMeter.Gateway.Requests;

/// <summary>Counts and times every request by its route.</summary>
public sealed class RequestMetricsMiddleware(RequestDelegate next, GatewayInstruments instruments, TimeProvider clock)
{
    private const string NoRoute = "unmatched";
    private const string OtherMethod = "other";

    public async Task InvokeAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var started = clock.GetTimestamp();
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            instruments.Answered(
                MethodOf(context.Request.Method), RouteOf(context), context.Response.StatusCode, clock.GetElapsedTime(started));
        }
    }

    private static string RouteOf(HttpContext context) =>
        (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? NoRoute;

    /// <summary>Clients may make methods up; they share one label.</summary>
    private static string MethodOf(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsPost(method) || HttpMethods.IsPut(method) || HttpMethods.IsDelete(method)
        || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method) || HttpMethods.IsPatch(method)
            ? method
            : OtherMethod;
}
