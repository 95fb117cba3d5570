using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.Extensions.Logging;
using StripeMeter.Defaults.Access;
using StripeMeter.Defaults.Invocation;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Defaults.Errors;

/// <summary>Turns what services throw into rich errors, in one place. An unknown exception is logged and told as INTERNAL without details.</summary>
public sealed partial class ErrorInterceptor(AccessInstruments instruments, TimeProvider clock, ILogger<ErrorInterceptor> logger) : Interceptor
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(500);

    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        GuardAsync(context, () => continuation(request, context));

    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context,
        ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
        GuardAsync(context, () => continuation(requestStream, context));

    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        GuardAsync(context, () => AnswerAsync(continuation(request, responseStream, context)));

    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        GuardAsync(context, () => AnswerAsync(continuation(requestStream, responseStream, context)));

    private static async Task<bool> AnswerAsync(Task call)
    {
        try
        {
            await call.ConfigureAwait(false);
            return true;
        }
        catch (IOException problem) when (problem is not InvalidProtocolBufferException)
        {
            // What reads and writes a stream here is the connection of its client. A message that cannot be read is an IOException too.
            throw new RpcException(new Status(StatusCode.Cancelled, "The client has gone."));
        }
    }

    private async Task<TResponse> GuardAsync<TResponse>(ServerCallContext context, Func<Task<TResponse>> call)
    {
        using var deadline = CallDeadline.Enter(context.Deadline);
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (RpcException)
        {
            throw;
        }
        catch (StoreUnavailableException problem)
        {
            LogUnavailable(logger, problem, context.Method);
            throw RpcErrors.Unavailable(problem.Message, RetryAfter);
        }
        catch (InvalidProtocolBufferException)
        {
            // A message of a stream; of a unary call it is told outside of here.
            throw new RpcException(new Status(StatusCode.InvalidArgument, UnreadableMessages.Reason));
        }
        catch (OtherTenantException refusal)
        {
            instruments.OtherTenant(context.Method);
            throw RpcErrors.PermissionDenied(refusal.Message);
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
            throw clock.GetUtcNow().UtcDateTime >= context.Deadline
                ? new RpcException(new Status(StatusCode.DeadlineExceeded, "The deadline of the call has passed."))
                : new RpcException(new Status(StatusCode.Cancelled, "The call was cancelled."));
        }
        catch (Exception problem)
        {
            LogUnexpected(logger, problem, context.Method);
            throw new RpcException(new Status(StatusCode.Internal, "An unexpected error occurred; it was logged."));
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "{Method}: the store is unavailable")]
    private static partial void LogUnavailable(ILogger logger, Exception problem, string method);

    [LoggerMessage(2, LogLevel.Error, "{Method} failed")]
    private static partial void LogUnexpected(ILogger logger, Exception problem, string method);
}
