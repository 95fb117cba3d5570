using Grpc.Core;

namespace StripeMeter.Gateway.Errors;

/// <summary>Gives every request that fails, for whatever cause, one problem document.</summary>
public sealed partial class ProblemMiddleware(RequestDelegate next, ILogger<ProblemMiddleware> logger)
{
    private const int ClientClosedRequest = 499;

    public async Task InvokeAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        Problem? problem;
        try
        {
            await next(context).ConfigureAwait(false);
            problem = OfEmptyAnswer(context);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody listens any more; whatever failed, failed because of that.
            context.Response.StatusCode = ClientClosedRequest;
            return;
        }
        catch (Exception error) when (!context.Response.HasStarted)
        {
            problem = Of(context, error);
            context.Response.Clear();
        }

        if (problem is not null)
            await ProblemWriter.WriteAsync(context, problem).ConfigureAwait(false);
    }

    private Problem Of(HttpContext context, Exception error)
    {
        switch (error)
        {
            case ProblemException { Problem: var problem }:
                return problem;
            case RpcException rpc:
                if (!rpc.IsAboutTheRequest())
                    LogServiceFailed(logger, context.Request.Path, rpc.StatusCode, rpc.Status.Detail);
                return rpc.ToProblem();
            case BadHttpRequestException bad:
                return Problem.OfStatus(bad.StatusCode, "The request cannot be read", bad.Message);
            default:
                LogUnexpected(logger, error, context.Request.Method, context.Request.Path);
                return Problem.OfStatus(500, "Unexpected error", "An unexpected error occurred; it was logged.");
        }
    }

    /// <summary>What routing answers by itself has no body.</summary>
    private static Problem? OfEmptyAnswer(HttpContext context)
    {
        var response = context.Response;
        if (response.StatusCode < 400 || response.HasStarted || response.ContentLength > 0 || response.ContentType is not null)
            return null;
        var request = context.Request;
        return response.StatusCode switch
        {
            404 => Problem.OfStatus(404, "Not Found", $"There is no route {request.Method} {request.Path}."),
            405 => Problem.OfStatus(405, "Method Not Allowed", $"{request.Path} answers {response.Headers.Allow}, not {request.Method}."),
            415 => Problem.UnsupportedMediaType(request.ContentType),
            var status => Problem.OfStatus(status, "The request failed", $"The request was answered with status {status}."),
        };
    }

    [LoggerMessage(501, LogLevel.Warning, "{Path}: a service answered {Status}: {Detail}")]
    private static partial void LogServiceFailed(ILogger logger, string path, StatusCode status, string detail);

    [LoggerMessage(502, LogLevel.Error, "{Method} {Path} failed")]
    private static partial void LogUnexpected(ILogger logger, Exception problem, string method, string path);
}
