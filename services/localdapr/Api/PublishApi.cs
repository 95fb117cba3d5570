using System.Text.Json;
using Dapr.Client.Autogen.Grpc.v1;
using Grpc.Core;
using StripeMeter.LocalDapr.Transport;
using StripeMeter.LocalDapr.Placement;
using StripeMeter.LocalDapr.PubSub;
using StripeMeter.LocalDapr.Resources;

namespace StripeMeter.LocalDapr.Api;

/// <summary>Publishing, by HTTP and by gRPC, one event or many.</summary>
internal sealed class PublishApi
{
    /// <summary>Events in one bulk publish.</summary>
    public const int MaximumBulkEntries = 100_000;

    private const string DefaultContentType = "application/json";

    private readonly Sidecar _sidecar;
    private readonly Broker _broker;
    private readonly CloudEvents _events;

    public PublishApi(Sidecar sidecar, Broker broker, LocalDaprOptions options)
    {
        _sidecar = sidecar;
        _broker = broker;
        _events = new CloudEvents(sidecar.AppId, options.Strict, options.TimeProvider, options.LoggerFactory.CreateLogger<CloudEvents>());
    }

    public void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapMethods("/v1.0/publish/{pubsub}/{**topic}", ["POST", "PUT"], PublishAsync);

    /// <exception cref="RpcException">As the gRPC API reports it.</exception>
    public async Task PublishAsync(PublishEventRequest request, ServerCallContext call)
    {
        var publication = new Publication(request.Data.Memory, OrElse(request.DataContentType, "application/octet-stream"),
            request.Metadata);
        await PublishAsync(request.PubsubName, request.Topic, [publication], call.RequestHeaders.GetValue("traceparent"),
            call.RequestHeaders.GetValue("tracestate"), call.CancellationToken).ConfigureAwait(false);
    }

    /// <exception cref="RpcException">As the gRPC API reports it; then no entry counts as published.</exception>
    public async Task PublishAsync(BulkPublishRequest request, ServerCallContext call)
    {
        if (request.Entries.Count > MaximumBulkEntries)
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"a bulk publish holds at most {MaximumBulkEntries} entries"));
        if (Gate.IsFromPeer(call.GetHttpContext()))
        {
            await TakeFromPeerAsync(request, call.CancellationToken).ConfigureAwait(false);
            return;
        }

        var publications = new Publication[request.Entries.Count];
        for (var index = 0; index < publications.Length; index++)
        {
            var entry = request.Entries[index];
            publications[index] = new Publication(entry.Event.Memory, OrElse(entry.ContentType, "application/octet-stream"),
                Merge(request.Metadata, entry.Metadata));
        }

        await PublishAsync(request.PubsubName, request.Topic, publications, call.RequestHeaders.GetValue("traceparent"),
            call.RequestHeaders.GetValue("tracestate"), call.CancellationToken).ConfigureAwait(false);
    }

    private async Task TakeFromPeerAsync(BulkPublishRequest request, CancellationToken cancellation)
    {
        var messages = request.Entries.Select(static entry =>
            new TopicMessage(Enum.Parse<PayloadKind>(entry.Metadata[PeerClient.KindMetadata]), entry.Event.Memory)).ToList();
        try
        {
            await _broker.PublishHereAsync(new TopicName(request.PubsubName, request.Topic), messages, cancellation).ConfigureAwait(false);
        }
        catch (QueueFullException failure)
        {
            throw new RpcException(new Status(StatusCode.ResourceExhausted, failure.Message));
        }
    }

    private async Task PublishAsync(HttpContext context)
    {
        try
        {
            using var body = await PooledBody.ReadAsync(context.Request.Body, context.Request.ContentLength,
                _sidecar.App.MaximumBodyBytes, context.RequestAborted).ConfigureAwait(false);
            var metadata = context.Request.Query.Where(static pair => pair.Key.StartsWith("metadata.", StringComparison.Ordinal))
                .ToDictionary(static pair => pair.Key["metadata.".Length..], static pair => pair.Value.ToString());
            var publication = new Publication(body.Memory, OrElse(context.Request.ContentType, DefaultContentType), metadata);
            var headers = context.Request.Headers;
            var (pubSub, topic) = ((string)context.Request.RouteValues["pubsub"]!, context.Request.RouteValues["topic"] as string ?? "");
            await PublishAsync(pubSub, topic, [publication],
                headers.TraceParent.ToString(), headers.TraceState.ToString(), context.RequestAborted).ConfigureAwait(false);
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
        catch (BodyTooLargeException failure)
        {
            await ApiError.WriteAsync(context, StatusCodes.Status413PayloadTooLarge, "ERR_PUBSUB_PUBLISH_MESSAGE", failure.Message)
                .ConfigureAwait(false);
        }
        catch (RpcException failure)
        {
            var (status, code) = failure.StatusCode switch
            {
                StatusCode.InvalidArgument => (StatusCodes.Status404NotFound, "ERR_PUBSUB_NOT_FOUND"),
                StatusCode.PermissionDenied => (StatusCodes.Status403Forbidden, "ERR_PUBSUB_FORBIDDEN"),
                StatusCode.ResourceExhausted => (StatusCodes.Status429TooManyRequests, "ERR_PUBSUB_PUBLISH_MESSAGE"),
                _ => (StatusCodes.Status500InternalServerError, "ERR_PUBSUB_CLOUD_EVENTS_SER"),
            };
            await ApiError.WriteAsync(context, status, code, failure.Status.Detail).ConfigureAwait(false);
        }
    }

    private async Task PublishAsync(string pubSub, string topicName, Publication[] publications, string? traceParent,
        string? traceState, CancellationToken cancellation)
    {
        var component = Find(pubSub);
        if (topicName.Length == 0)
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"topic is empty in pubsub {pubSub}"));
        if (!component.MayPublish(_sidecar.AppId, topicName))
            throw new RpcException(new Status(StatusCode.PermissionDenied,
                $"topic {topicName} is not allowed for app id {_sidecar.AppId}"));
        var topic = new TopicName(pubSub, topicName);
        try
        {
            var messages = Array.ConvertAll(publications, publication => _events.Wrap(topic, publication, traceParent, traceState));
            await _broker.PublishAsync(component, topic, messages, cancellation).ConfigureAwait(false);
        }
        catch (QueueFullException failure)
        {
            throw new RpcException(new Status(StatusCode.ResourceExhausted, failure.Message));
        }
        catch (Exception failure) when (failure is JsonException or FormatException)
        {
            throw new RpcException(new Status(StatusCode.Internal, $"cannot create cloudevent: {failure.Message}"));
        }
    }

    private Component Find(string pubSub) => _sidecar.Resources.FindPubSub(_sidecar.AppId, pubSub)
        ?? throw new RpcException(new Status(StatusCode.InvalidArgument, $"pubsub {pubSub} not found"));

    private static string OrElse(string? text, string otherwise) => string.IsNullOrEmpty(text) ? otherwise : text;

    private static Dictionary<string, string> Merge(IDictionary<string, string> common, IDictionary<string, string> own)
    {
        var merged = new Dictionary<string, string>(common, StringComparer.Ordinal);
        foreach (var (name, value) in own)
            merged[name] = value;
        return merged;
    }
}
