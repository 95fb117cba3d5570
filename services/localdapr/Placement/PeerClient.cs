using System.Collections.Concurrent;
using System.Net;
using Dapr.Client.Autogen.Grpc.v1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using StripeMeter.LocalDapr.Transport;
using StripeMeter.LocalDapr.PubSub;

namespace StripeMeter.LocalDapr.Placement;

/// <summary>
/// Calls sidecars in other processes through their own public API on the HTTP/2 port, marked with the group's secret: such a call
/// is served where it arrives and not handed on again.
/// </summary>
internal sealed class PeerClient : IDisposable
{
    /// <summary>Metadata key of an entry that is handed on as it stands: its <see cref="PayloadKind"/>.</summary>
    public const string KindMetadata = "localdapr.kind";

    private readonly SocketsHttpHandler _handler = new()
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        UseProxy = false,
        ActivityHeadersPropagator = null,
        EnableMultipleHttp2Connections = true,
        ConnectTimeout = TimeSpan.FromSeconds(2),
    };

    private readonly ConcurrentDictionary<string, GrpcChannel> _channels = new();

    public PeerClient() => Invoker = new HttpMessageInvoker(_handler, disposeHandler: false);

    public HttpMessageInvoker Invoker { get; }

    /// <summary>Hands a request on to another sidecar and reads its answer whole.</summary>
    /// <exception cref="HttpRequestException">It cannot be reached.</exception>
    public async Task<AppResponse> SendAsync(Peer peer, HttpMethod method, string path, ReadOnlyMemory<byte> body,
        IHeaderDictionary? headers, int maximumBytes, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, new Uri(peer.Address + path))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = body.IsEmpty ? null : new ReadOnlyMemoryContent(body),
        };
        if (headers is not null)
            ForwardedHeaders.Copy(headers, request);
        request.Headers.TryAddWithoutValidation(DaprHeaders.Peer, peer.Token);
        var response = await Invoker.SendAsync(request, cancellation).ConfigureAwait(false);
        try
        {
            var stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
            var length = response.Content.Headers.ContentLength;
            return new AppResponse(response, await PooledBody.ReadAsync(stream, length, maximumBytes, cancellation).ConfigureAwait(false));
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    /// <summary>False when the sidecar cannot be reached.</summary>
    /// <exception cref="QueueFullException">A consumer there is too far behind.</exception>
    public async Task<bool> TryPublishAsync(Peer peer, TopicName topic, IReadOnlyList<TopicMessage> messages,
        CancellationToken cancellation)
    {
        var request = new BulkPublishRequest { PubsubName = topic.PubSub, Topic = topic.Topic };
        foreach (var message in messages)
        {
            var entry = new BulkPublishRequestEntry { EntryId = "", Event = UnsafeByteOperations.UnsafeWrap(message.Payload),
                ContentType = CloudEvents.ContentType };
            entry.Metadata[KindMetadata] = message.Kind.ToString();
            request.Entries.Add(entry);
        }

        var channel = _channels.GetOrAdd(peer.Address, address =>
            GrpcChannel.ForAddress(address, new GrpcChannelOptions { HttpHandler = _handler, MaxSendMessageSize = null }));
        try
        {
            var headers = new Metadata { { DaprHeaders.Peer, peer.Token } };
            await new Dapr.Client.Autogen.Grpc.v1.Dapr.DaprClient(channel)
                .BulkPublishEventAsync(request, headers, cancellationToken: cancellation).ConfigureAwait(false);
            return true;
        }
        catch (RpcException failure) when (failure.StatusCode == StatusCode.ResourceExhausted)
        {
            throw new QueueFullException(topic, peer.AppId);
        }
        catch (RpcException) when (!cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    public void Dispose()
    {
        foreach (var channel in _channels.Values)
            channel.Dispose();
        Invoker.Dispose();
        _handler.Dispose();
    }
}
