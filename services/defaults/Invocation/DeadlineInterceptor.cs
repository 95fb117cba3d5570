using Grpc.Core;
using Grpc.Core.Interceptors;

namespace StripeMeter.Defaults.Invocation;

/// <summary>Gives every unary call a deadline, so that none waits for ever.</summary>
internal sealed class DeadlineInterceptor(TimeSpan timeout, TimeProvider clock) : Interceptor
{
    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context,
        AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
    {
        var options = context.Options.Deadline is null
            ? context.Options.WithDeadline((clock.GetUtcNow() + timeout).UtcDateTime)
            : context.Options;
        return continuation(request, new ClientInterceptorContext<TRequest, TResponse>(context.Method, context.Host, options));
    }
}
