using Grpc.Core;
using Grpc.Core.Interceptors;

namespace StripeMeter.Defaults.Invocation;

/// <summary>Gives every unary call a deadline, so that none waits for ever: its own, or that of the call being served if it is earlier.</summary>
internal sealed class DeadlineInterceptor(TimeSpan timeout, TimeProvider clock) : Interceptor
{
    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        TRequest request, ClientInterceptorContext<TRequest, TResponse> context,
        AsyncUnaryCallContinuation<TRequest, TResponse> continuation)
    {
        var own = context.Options.Deadline ?? (clock.GetUtcNow() + timeout).UtcDateTime;
        var deadline = CallDeadline.Current is { } served && served < own ? served : own;
        return continuation(
            request,
            new ClientInterceptorContext<TRequest, TResponse>(context.Method, context.Host, context.Options.WithDeadline(deadline)));
    }
}
