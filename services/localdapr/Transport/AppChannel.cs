using System.Net;
using System.Net.Sockets;

namespace StripeMeter.LocalDapr.Transport;

/// <summary>The way from a sidecar to its app.</summary>
internal sealed class AppChannel : IDisposable
{
    /// <summary>Pause between two looks at a port that is not open yet.</summary>
    public static readonly TimeSpan PortPollInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>A connection attempt that takes longer counts as refused.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    private readonly string? _appApiToken;
    private readonly int _maximumBodyBytes;
    private readonly string _host;
    private readonly TimeProvider _time;
    private readonly TaskCompletionSource _portKnown = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile string _baseAddress = "";

    public AppChannel(LocalDaprApp app, LocalDaprOptions options)
    {
        _appApiToken = app.AppApiToken ?? options.AppApiToken;
        _maximumBodyBytes = app.MaximumBodyBytes;
        _host = app.AppChannelAddress;
        _time = options.TimeProvider;
        Protocol = app.AppProtocol;
        HttpVersion = app.AppProtocol == AppProtocol.Http ? System.Net.HttpVersion.Version11 : System.Net.HttpVersion.Version20;
        Invoker = new HttpMessageInvoker(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            UseProxy = false,
            ActivityHeadersPropagator = null,
            ConnectTimeout = ConnectTimeout,
            EnableMultipleHttp2Connections = true,
            InitialHttp2StreamWindowSize = 1024 * 1024,
            // daprd's --read-buffer-size caps the headers of the app's answers too.
            MaxResponseHeadersLength = options.Strict ? Math.Max(1, app.MaximumHeaderBytes / 1024) : 64,
        });
        if (app.AppPort is > 0)
            Attach(app.AppPort.Value);
    }

    public AppProtocol Protocol { get; }

    public Version HttpVersion { get; }

    public HttpMessageInvoker Invoker { get; }

    public int Port { get; private set; }

    /// <summary><c>http://host:port</c>, empty while the port is not known.</summary>
    public string BaseAddress => _baseAddress;

    /// <summary>Names the port of an app that chose it itself.</summary>
    public void Attach(int port)
    {
        Port = port;
        _baseAddress = $"http://{_host}:{port}";
        _portKnown.TrySetResult();
    }

    /// <summary>Waits until the app accepts connections, however long that takes, as daprd does.</summary>
    public async Task WaitUntilListeningAsync(CancellationToken cancellation)
    {
        await _portKnown.Task.WaitAsync(cancellation).ConfigureAwait(false);
        while (!await CanConnectAsync(cancellation).ConfigureAwait(false))
            await Task.Delay(PortPollInterval, _time, cancellation).ConfigureAwait(false);
    }

    private async Task<bool> CanConnectAsync(CancellationToken cancellation)
    {
        using var socket = new TcpClient();
        try
        {
            await socket.ConnectAsync(_host, Port, cancellation).ConfigureAwait(false);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Calls the app and reads its answer whole.</summary>
    /// <exception cref="HttpRequestException">The app cannot be reached, or its answer breaks a limit.</exception>
    public async Task<AppResponse> SendAsync(HttpMethod method, string path, HttpContent? body, IHeaderDictionary? headers,
        CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, new Uri(BaseAddress + path)) { Version = HttpVersion,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = body };
        if (headers is not null)
            ForwardedHeaders.Copy(headers, request);
        Authorize(request);
        var response = await Invoker.SendAsync(request, cancellation).ConfigureAwait(false);
        try
        {
            var stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
            var content = await PooledBody.ReadAsync(stream, response.Content.Headers.ContentLength, _maximumBodyBytes,
                cancellation).ConfigureAwait(false);
            return new AppResponse(response, content);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    /// <summary>Adds the token that the app demands (<c>APP_API_TOKEN</c>).</summary>
    public void Authorize(HttpRequestMessage request)
    {
        request.Headers.Remove(DaprHeaders.ApiToken);
        if (_appApiToken is { Length: > 0 })
            request.Headers.TryAddWithoutValidation(DaprHeaders.ApiToken, _appApiToken);
    }

    public void Dispose() => Invoker.Dispose();
}
