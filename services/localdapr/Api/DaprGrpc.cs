using Dapr.Client.Autogen.Grpc.v1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;

namespace StripeMeter.LocalDapr.Api;

/// <summary>The part of <c>dapr.proto.runtime.v1.Dapr</c> that is supported.</summary>
internal sealed class DaprGrpc(PublishApi publishing, MetadataApi metadata, Sidecar sidecar)
{
    public async Task<Empty> PublishEvent(PublishEventRequest request, ServerCallContext call)
    {
        await publishing.PublishAsync(request, call).ConfigureAwait(false);
        return new Empty();
    }

    public async Task<BulkPublishResponse> BulkPublishEvent(BulkPublishRequest request, ServerCallContext call)
    {
        await publishing.PublishAsync(request, call).ConfigureAwait(false);
        return new BulkPublishResponse();
    }

    public Task<GetMetadataResponse> GetMetadata() => Task.FromResult(metadata.Describe());

    public Task<Empty> SetMetadata(SetMetadataRequest request)
    {
        metadata.Set(request.Key, request.Value);
        return Task.FromResult(new Empty());
    }

    public Task<Empty> Shutdown()
    {
        sidecar.RequestShutdown();
        return Task.FromResult(new Empty());
    }
}

/// <summary>Binds the service by hand: the public packages hold its messages and its client, and no server base.</summary>
internal sealed class DaprGrpcBinding : IServiceMethodProvider<DaprGrpc>
{
    private const string Service = "dapr.proto.runtime.v1.Dapr";

    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<DaprGrpc> context)
    {
        Add(context, "PublishEvent", PublishEventRequest.Parser, Empty.Parser, static (service, request, call) =>
            service.PublishEvent(request, call));
        Add(context, "BulkPublishEvent", BulkPublishRequest.Parser, BulkPublishResponse.Parser, static (service, request, call) =>
            service.BulkPublishEvent(request, call));
        Add(context, "BulkPublishEventAlpha1", BulkPublishRequest.Parser, BulkPublishResponse.Parser,
            static (service, request, call) => service.BulkPublishEvent(request, call));
        Add(context, "GetMetadata", GetMetadataRequest.Parser, GetMetadataResponse.Parser, static (service, _, _) => service.GetMetadata());
        Add(context, "SetMetadata", SetMetadataRequest.Parser, Empty.Parser, static (service, request, _) => service.SetMetadata(request));
        Add(context, "Shutdown", ShutdownRequest.Parser, Empty.Parser, static (service, _, _) => service.Shutdown());
    }

    private static void Add<TRequest, TResponse>(ServiceMethodProviderContext<DaprGrpc> context, string name,
        MessageParser<TRequest> request, MessageParser<TResponse> response, UnaryServerMethod<DaprGrpc, TRequest, TResponse> handle)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse> =>
        context.AddUnaryMethod(
            new Method<TRequest, TResponse>(MethodType.Unary, Service, name, MarshallerOf(request), MarshallerOf(response)),
            [],
            handle);

    private static Marshaller<T> MarshallerOf<T>(MessageParser<T> parser)
        where T : class, IMessage<T> =>
        new(static (message, context) =>
            {
                context.SetPayloadLength(message.CalculateSize());
                message.WriteTo(context.GetBufferWriter());
                context.Complete();
            },
            context => parser.ParseFrom(context.PayloadAsReadOnlySequence()));
}
