namespace StripeMeter.LocalDapr;

/// <summary>One running sidecar.</summary>
public sealed class LocalDaprSidecar
{
    internal LocalDaprSidecar(Sidecar sidecar) => Inner = sidecar;

    internal Sidecar Inner { get; }

    public string AppId => Inner.AppId;

    /// <summary>The HTTP/1.1 port: <c>DAPR_HTTP_PORT</c> of the app.</summary>
    public int HttpPort => Inner.HttpPort;

    /// <summary>The HTTP/2 port: <c>DAPR_GRPC_PORT</c> of the app.</summary>
    public int GrpcPort => Inner.GrpcPort;

    /// <summary><c>DAPR_HTTP_ENDPOINT</c> of the app.</summary>
    public string HttpEndpoint => $"http://127.0.0.1:{HttpPort}";

    /// <summary><c>DAPR_GRPC_ENDPOINT</c> of the app.</summary>
    public string GrpcEndpoint => $"http://127.0.0.1:{GrpcPort}";

    /// <summary>Whether config and subscriptions of the app are known and served.</summary>
    public bool IsReady => Inner.IsReady;

    /// <summary>Raised when somebody asks the sidecar to stop through its API.</summary>
    public event Action? ShutdownRequested
    {
        add => Inner.ShutdownRequested += value;
        remove => Inner.ShutdownRequested -= value;
    }

    /// <summary>Names the port of an app that chose it itself; also after a restart of the app on another one.</summary>
    public void AttachApp(int port) => Inner.Channel.Attach(port);

    /// <summary>Waits until the sidecar has met its app.</summary>
    public Task WaitUntilReadyAsync(CancellationToken cancellation = default) => Inner.Ready.WaitAsync(cancellation);
}
