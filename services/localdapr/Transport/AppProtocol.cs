namespace StripeMeter.LocalDapr;

/// <summary>How the sidecar speaks to its app: daprd's <c>--app-protocol</c> without the TLS kinds.</summary>
public enum AppProtocol
{
    /// <summary>HTTP/1.1 callbacks. gRPC cannot be proxied to such an app: Kestrel takes no HTTP/2 prior knowledge on a mixed
    /// port.</summary>
    Http,

    /// <summary>HTTP/2 with prior knowledge, for callbacks and for proxied gRPC on the same port.</summary>
    H2c,

    /// <summary>Proxied gRPC only: as in daprd the app can host no classic actors; here it can hold no subscriptions
    /// either.</summary>
    Grpc,
}
