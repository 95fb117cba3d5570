using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using StripeMeter.Metering.Events;
using Status = Google.Rpc.Status;

namespace StripeMeter.Defaults.Errors;

/// <summary>Makes the errors of gRPC services: google.rpc.Status with the details that say what to do.</summary>
public static class RpcErrors
{
    /// <summary>Violations told of one request. Errors travel in headers, which every hop bounds; what does not fit breaks the connection.</summary>
    public const int MaximumViolations = 50;

    private const int MaximumTextLength = 300;
    private const string Domain = "stripemeter";

    /// <summary>INVALID_ARGUMENT with one violation per field.</summary>
    public static RpcException Invalid(params IReadOnlyCollection<FieldError> errors)
    {
        var details = new BadRequest();
        details.FieldViolations.AddRange(errors.Take(MaximumViolations).Select(error =>
            new BadRequest.Types.FieldViolation { Field = Shorten(error.Field), Description = Shorten(error.Reason) }));
        var first = errors.First();
        return Of(Code.InvalidArgument, $"{first.Field} {first.Reason}", details);
    }

    public static RpcException Invalid(string field, string reason) => Invalid(new FieldError(field, reason));

    public static RpcException NotFound(string what) => Of(Code.NotFound, $"{what} does not exist.");

    /// <summary>ALREADY_EXISTS with the reason as machine readable text, such as <c>METER_TAKEN</c>.</summary>
    public static RpcException AlreadyExists(string reason, string message) =>
        Of(Code.AlreadyExists, message, new ErrorInfo { Domain = Domain, Reason = reason });

    public static RpcException FailedPrecondition(string reason, string message) =>
        Of(Code.FailedPrecondition, message, new ErrorInfo { Domain = Domain, Reason = reason });

    public static RpcException Unauthenticated(string message) => Of(Code.Unauthenticated, message);

    public static RpcException PermissionDenied(string message) => Of(Code.PermissionDenied, message);

    /// <summary>RESOURCE_EXHAUSTED with the time after which to try again.</summary>
    public static RpcException Exhausted(string message, TimeSpan retryAfter) =>
        Of(Code.ResourceExhausted, message, new RetryInfo { RetryDelay = Duration.FromTimeSpan(retryAfter) });

    public static RpcException OutOfRange(string message) => Of(Code.OutOfRange, message);

    /// <summary>UNAVAILABLE with the time after which to try again. Nothing is lost by trying again.</summary>
    public static RpcException Unavailable(string message, TimeSpan retryAfter) =>
        Of(Code.Unavailable, message, new RetryInfo { RetryDelay = Duration.FromTimeSpan(retryAfter) });

    private static string Shorten(string text)
    {
        if (text.Length <= MaximumTextLength)
            return text;
        var end = char.IsHighSurrogate(text[MaximumTextLength - 1]) ? MaximumTextLength - 1 : MaximumTextLength;
        return text[..end] + "…";
    }

    private static RpcException Of(Code code, string message, params Google.Protobuf.IMessage[] details)
    {
        var status = new Status { Code = (int)code, Message = Shorten(message) };
        status.Details.AddRange(details.Select(Any.Pack));
        return status.ToRpcException();
    }
}
