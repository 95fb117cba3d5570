using StripeMeter.LocalDapr.Transport;
using StripeMeter.LocalDapr.Resources;

namespace StripeMeter.LocalDapr.Actors;

/// <summary>Runs the actors of one app: every call is a turn, and what is idle leaves.</summary>
internal sealed partial class ActorHost
{
    /// <summary>How long a deactivation may take before the actor counts as gone.</summary>
    public static readonly TimeSpan DeactivationTimeout = TimeSpan.FromSeconds(10);

    private readonly LocalDaprOptions _options;
    private readonly AppChannel _channel;
    private readonly ResiliencyPolicies _resiliency;
    private readonly ILogger _logger;
    private IReadOnlyDictionary<string, ActorTypeOptions> _types = new Dictionary<string, ActorTypeOptions>();

    public ActorHost(string appId, LocalDaprOptions options, AppChannel channel, ResiliencyPolicies resiliency)
    {
        AppId = appId;
        _options = options;
        _channel = channel;
        _resiliency = resiliency;
        _logger = options.LoggerFactory.CreateLogger<ActorHost>();
        Table = new ActorTable(options, DeactivateAsync);
        Timers = new ActorTimers(this, options);
    }

    public string AppId { get; }

    public ActorTable Table { get; }

    public ActorTimers Timers { get; }

    public IEnumerable<string> Types => _types.Keys;

    public bool Hosts(string type) => _types.ContainsKey(type);

    public void Configure(IReadOnlyDictionary<string, ActorTypeOptions> types) => _types = types;

    /// <summary>One turn: waits for it, calls the app, and ends it when the answer is there whole.</summary>
    public async Task<AppResponse> TakeTurnAsync(ActorCall call, CancellationToken cancellation)
    {
        if (!_types.TryGetValue(call.Key.Type, out var type))
            throw new ActorCallException(StatusCodes.Status500InternalServerError, ActorErrors.InvokeMethod,
                $"did not find address for actor {call.Key}");
        var chain = call.ChainId ?? Guid.NewGuid().ToString();
        var actor = await Table.EnterTurnAsync(call.Key, type, chain, cancellation).ConfigureAwait(false);
        try
        {
            var timeout = _resiliency.ForActor(call.Key.Type).Timeout;
            using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellation, actor.Aborted);
            using var late = timeout is { } limit ? new CancellationTokenSource(limit, _options.TimeProvider) : null;
            await using var registration =
                late?.Token.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), ends) ?? default;
            return await CallAppAsync(call, type.Reentrancy.Enabled ? chain : null, ends.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new ActorCallException(StatusCodes.Status500InternalServerError, ActorErrors.InvokeMethod,
                actor.Aborted.IsCancellationRequested ? $"actor {call.Key} was deactivated during the call"
                    : $"the turn of {call.Key} took longer than its timeout");
        }
        finally
        {
            actor.Turns.Exit();
        }
    }

    private async Task<AppResponse> CallAppAsync(ActorCall call, string? chain, CancellationToken cancellation)
    {
        using var content = new ReadOnlyMemoryContent(call.Body);
        var path = $"/actors/{Uri.EscapeDataString(call.Key.Type)}/{Uri.EscapeDataString(call.Key.Id)}/method/{call.Method}";
        var headers = call.Headers;
        if (chain is not null)
        {
            headers ??= new HeaderDictionary();
            headers[DaprHeaders.ReentrancyId] = chain;
        }

        try
        {
            var response = await _channel.SendAsync(HttpMethod.Put, path, content, headers, cancellation).ConfigureAwait(false);
            if (response.StatusCode == StatusCodes.Status200OK || response.HasHeader(DaprHeaders.ActorError))
                return response;
            using (response)
                throw Refused(call, response);
        }
        catch (Exception failure) when (failure is HttpRequestException or BodyTooLargeException or IOException)
        {
            throw new ActorCallException(StatusCodes.Status500InternalServerError, ActorErrors.InvokeMethod,
                $"error invoke actor method: {failure.Message}", failure);
        }
    }

    private static ActorCallException Refused(ActorCall call, AppResponse response) =>
        response.IsNotFound
            ? new ActorCallException(StatusCodes.Status404NotFound, ActorErrors.InvokeMethod,
                $"actor method not found: {call.Key}/{call.Method}")
            : new ActorCallException(StatusCodes.Status500InternalServerError, ActorErrors.InvokeMethod,
                $"error invoke actor method: error from actor service: ({response.StatusCode}) {System.Text.Encoding.UTF8.GetString(response.Body.Span)}");

    private async Task DeactivateAsync(ActiveActor actor)
    {
        Timers.RemoveAll(actor.Key);
        using var limit = new CancellationTokenSource(DeactivationTimeout, _options.TimeProvider);
        try
        {
            var path = $"/actors/{Uri.EscapeDataString(actor.Key.Type)}/{Uri.EscapeDataString(actor.Key.Id)}";
            using var response = await _channel.SendAsync(HttpMethod.Delete, path, null, null, limit.Token).ConfigureAwait(false);
            if (!response.IsSuccess)
                LogDeactivationRefused(_logger, actor.Key, response.StatusCode);
        }
        catch (Exception failure)
            when (failure is HttpRequestException or OperationCanceledException or IOException or BodyTooLargeException)
        {
            LogDeactivationFailed(_logger, actor.Key, failure);
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The app answered {Status} to the deactivation of actor {Actor}")]
    private static partial void LogDeactivationRefused(ILogger logger, ActorKey actor, int status);

    [LoggerMessage(2, LogLevel.Debug, "The app could not be told of the deactivation of actor {Actor}")]
    private static partial void LogDeactivationFailed(ILogger logger, ActorKey actor, Exception failure);
}
