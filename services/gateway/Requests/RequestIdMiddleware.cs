namespace StripeMeter.Gateway.Requests;

/// <summary>Names every request by the client's <c>x-request-id</c>, or else by the server's own, and echoes the name.</summary>
public sealed class RequestIdMiddleware(RequestDelegate next)
{
    private const string Header = "x-request-id";
    private const int MaximumLength = 128;

    public Task InvokeAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Request.Headers.TryGetValue(Header, out var sent) && IsUsable(sent))
            context.TraceIdentifier = sent.ToString();
        context.Response.OnStarting(static state =>
        {
            var answered = (HttpContext)state;
            answered.Response.Headers[Header] = answered.TraceIdentifier;
            return Task.CompletedTask;
        }, context);
        return next(context);
    }

    private static bool IsUsable(string? value) =>
        value is { Length: > 0 and <= MaximumLength } && value.AsSpan().IndexOfAnyExceptInRange('!', '~') < 0;
}
