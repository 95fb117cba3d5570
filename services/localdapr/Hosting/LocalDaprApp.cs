using StripeMeter.LocalDapr.Resources;

namespace StripeMeter.LocalDapr;

/// <summary>One app and the ports of its sidecar.</summary>
public sealed record LocalDaprApp
{
    /// <summary>daprd's <c>--max-body-size</c> when nothing is said: 4 MiB.</summary>
    public const int DefaultMaximumBodyBytes = 4 * 1024 * 1024;

    /// <summary>daprd's <c>--read-buffer-size</c> when nothing is said: 4 KiB.</summary>
    public const int DefaultMaximumHeaderBytes = 4 * 1024;

    public required string AppId { get; init; }

    /// <summary>Where the app listens. 0: it will be told by <see cref="LocalDaprSidecar.AttachApp"/>. Null: there is no app to
    /// call.</summary>
    public int? AppPort { get; init; }

    /// <summary>The host the app listens on (<c>--app-channel-address</c>).</summary>
    public string AppChannelAddress { get; init; } = "127.0.0.1";

    public AppProtocol AppProtocol { get; init; } = AppProtocol.H2c;

    /// <summary>HTTP/1.1 port of the sidecar; 0 picks a free one.</summary>
    public int DaprHttpPort { get; init; }

    /// <summary>HTTP/2 (gRPC) port of the sidecar; 0 picks a free one.</summary>
    public int DaprGrpcPort { get; init; }

    /// <summary>Addresses the sidecar listens on, loopback by default. daprd's default is all of them.</summary>
    public IReadOnlyList<string> ListenAddresses { get; init; } = ["127.0.0.1"];

    public int MaximumBodyBytes { get; init; } = DefaultMaximumBodyBytes;

    public int MaximumHeaderBytes { get; init; } = DefaultMaximumHeaderBytes;

    /// <summary>What the sidecar sends this app as <c>dapr-api-token</c>; null takes the group's.</summary>
    public string? AppApiToken { get; init; }

    /// <summary>Resources of this app alone; null takes the group's.</summary>
    public ResourceSet? Resources { get; init; }

    internal void Validate(ResourceSet resources)
    {
        if (AppId.Length == 0)
            throw new LocalDaprConfigurationException("an app id is empty");
        CheckPort("app port", AppPort ?? 0);
        CheckPort("dapr http port", DaprHttpPort);
        CheckPort("dapr grpc port", DaprGrpcPort);
        resources.Validate(AppId, AppProtocol);
    }

    private void CheckPort(string name, int port)
    {
        if (port is < 0 or > 65535)
            throw new LocalDaprConfigurationException($"{name} {port} of app '{AppId}' is not between 0 and 65535");
    }
}

/// <summary>The description of a sidecar group cannot be used; the message names the value.</summary>
public sealed class LocalDaprConfigurationException(string message) : Exception(message);
