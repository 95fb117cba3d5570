using Google.Rpc;
using Grpc.Core;
using Problems = System.Collections.Generic.List<StripeMeter.Gateway.Errors.ProblemError>;

namespace StripeMeter.Gateway.Errors;

/// <summary>Errors of the services as problems of the REST API.</summary>
public static class RpcProblems
{
    private static readonly TimeSpan DefaultRetryAfter = TimeSpan.FromSeconds(1);

    public static Problem ToProblem(this RpcException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        var detail = error.Status.Detail;
        return error.StatusCode switch
        {
            StatusCode.InvalidArgument or StatusCode.OutOfRange => ToInvalid(error),
            StatusCode.NotFound => Problem.NotFound(detail),
            StatusCode.PermissionDenied => Problem.Forbidden(detail),
            StatusCode.AlreadyExists => Problem.Conflict(detail),
            StatusCode.FailedPrecondition => Problem.Unprocessable(detail),
            StatusCode.Unavailable or StatusCode.ResourceExhausted or StatusCode.Aborted => Problem.Overloaded(
                string.IsNullOrEmpty(detail) ? "A service is not available." : detail, RetryAfter(error)),
            StatusCode.DeadlineExceeded or StatusCode.Cancelled => Problem.Overloaded(
                "A service did not answer in time. The request may have been carried out; sending it again is safe.",
                DefaultRetryAfter),
            _ => Problem.OfStatus(502, "A service failed", "A service behind the gateway failed; it was logged."),
        };
    }

    /// <summary>Whether the error says that the request, not the service, is at fault.</summary>
    public static bool IsAboutTheRequest(this RpcException error) =>
        error is not null && error.ToProblem().Status is >= 400 and < 500;

    /// <summary>The violated fields, in the spelling of REST.</summary>
    public static IReadOnlyList<ProblemError> Violations(this RpcException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        var errors = new Problems();
        foreach (var violation in error.GetRpcStatus()?.GetDetail<BadRequest>()?.FieldViolations ?? [])
        {
            var (index, field) = RestNames.Of(violation.Field);
            errors.Add(new ProblemError(field, violation.Description, index));
        }

        return errors;
    }

    private static Problem ToInvalid(RpcException error)
    {
        var errors = error.Violations();
        return errors.Count > 0
            ? Problem.Invalid(errors)
            : Problem.Invalid(new ProblemError("request", error.Status.Detail));
    }

    private static TimeSpan RetryAfter(RpcException error) =>
        error.GetRpcStatus()?.GetDetail<RetryInfo>()?.RetryDelay?.ToTimeSpan() ?? DefaultRetryAfter;
}
