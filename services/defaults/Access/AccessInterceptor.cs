using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Microsoft.AspNetCore.Http;
using StripeMeter.Defaults.Auditing;
using StripeMeter.Defaults.Errors;

namespace StripeMeter.Defaults.Access;

/// <summary>
/// Stands before every gRPC method of every service: proves who calls, refuses what the caller may not, holds the request to
/// its caller, and has changes recorded.
/// </summary>
public sealed class AccessInterceptor(CallReader calls, AccessInstruments instruments, ChangeRecorder recorder) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        var (call, access) = await ReadAsync(context).ConfigureAwait(false);
        Hold(request, call, context);
        Call.Begin(call);
        return access.IsRecorded
            ? await recorder.RecordAsync(call, context.Method, (IMessage)request, () => continuation(request, context)).ConfigureAwait(false)
            : await continuation(request, context).ConfigureAwait(false);
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context,
        ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        var (call, access) = await ReadAsync(context).ConfigureAwait(false);
        Call.Begin(call);
        return await continuation(new HeldStream<TRequest>(this, requestStream, call, access, context), context).ConfigureAwait(false);
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        var (call, _) = await ReadAsync(context).ConfigureAwait(false);
        Call.Begin(call);
        Hold(request, call, context);
        await continuation(request, responseStream, context).ConfigureAwait(false);
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        var (call, access) = await ReadAsync(context).ConfigureAwait(false);
        Call.Begin(call);
        var held = new HeldStream<TRequest>(this, requestStream, call, access, context);
        await continuation(held, responseStream, context).ConfigureAwait(false);
    }

    private async Task<(Call Call, AccessAttribute Access)> ReadAsync(ServerCallContext context)
    {
        var http = context.GetHttpContext();
        var access = http.GetEndpoint()?.Metadata.GetMetadata<AccessAttribute>() ?? Undeclared(context);
        return (await calls.ReadAsync(http, access).ConfigureAwait(false), access);
    }

    private ValueTask<Call> ProveAgainAsync(ServerCallContext context, AccessAttribute access) => calls.ReadAsync(context.GetHttpContext(), access);

    /// <summary>Whether the service lives is everyone's to ask.</summary>
    private static AccessAttribute Undeclared(ServerCallContext context) =>
        context.Method.StartsWith("/grpc.health.", StringComparison.Ordinal) ? new AccessAttribute(AccessKind.Open) : AccessAttribute.Undeclared;

    private void Hold<TRequest>(TRequest request, Call call, ServerCallContext context)
    {
        try
        {
            CallerFields.Hold((IMessage)request!, call.Principal);
        }
        catch (OtherTenantException refusal)
        {
            instruments.OtherTenant(context.Method);
            throw RpcErrors.PermissionDenied(refusal.Message);
        }
    }

    /// <summary>
    /// Holds every message of a stream to its caller, and looks again at the caller: a stream may outlive its key.
    /// </summary>
    private sealed class HeldStream<T>(
        AccessInterceptor access, IAsyncStreamReader<T> stream, Call call, AccessAttribute needed, ServerCallContext context)
        : IAsyncStreamReader<T>
    {
        private bool _started;

        public T Current => stream.Current;

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            if (!await stream.MoveNext(cancellationToken).ConfigureAwait(false))
                return false;
            if (_started)
                await access.ProveAgainAsync(context, needed).ConfigureAwait(false);
            _started = true;
            access.Hold(stream.Current, call, context);
            return true;
        }
    }
}
