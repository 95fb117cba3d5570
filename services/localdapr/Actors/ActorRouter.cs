using StripeMeter.LocalDapr.Transport;
using StripeMeter.LocalDapr.Placement;
using StripeMeter.LocalDapr.Resources;

namespace StripeMeter.LocalDapr.Actors;

/// <summary>Takes calls of actors to the sidecar they live in, waiting for one and trying again as the policies say.</summary>
internal sealed class ActorRouter(ActorPlacement placement, PeerDirectory peers, ResiliencyPolicies resiliency,
    int maximumBodyBytes, LocalDaprOptions options)
{
    /// <summary>daprd's built-in policy for an actor that is not found or has moved.</summary>
    private static readonly RetryPolicy ActorMoved = new() { Duration = TimeSpan.FromSeconds(1), MaximumRetries = 5 };

    /// <exception cref="ActorCallException">The call failed; carries the answer for the caller.</exception>
    public async Task<AppResponse> InvokeAsync(ActorCall call, bool fromPeer, CancellationToken cancellation)
    {
        var target = resiliency.ForActor(call.Key.Type);
        for (var retry = 1; ; retry++)
        {
            try
            {
                return await InvokeOnceAsync(call, fromPeer, cancellation).ConfigureAwait(false);
            }
            catch (ActorCallException failure) when (failure.Status >= 500 && !fromPeer)
            {
                // Naming an actor type in a resiliency target removes the built-in retries.
                var policy = target.Retry ?? (!target.IsTargeted && failure is ActorMovedException ? ActorMoved : null);
                if (policy?.PauseBefore(retry) is not { } pause)
                    throw;
                await Task.Delay(pause, options.TimeProvider, cancellation).ConfigureAwait(false);
            }
        }
    }

    private async Task<AppResponse> InvokeOnceAsync(ActorCall call, bool fromPeer, CancellationToken cancellation)
    {
        var owner = await FindAsync(call.Key, cancellation).ConfigureAwait(false);
        if (owner.Here is { } host)
            return await host.TakeTurnAsync(call, cancellation).ConfigureAwait(false);
        if (fromPeer)
            throw new ActorMovedException(call.Key);
        return await HandOnAsync(owner.There!, HttpMethod.Put, call.Key, "/method/" + call.Method, call.Body, call.Headers,
            cancellation).ConfigureAwait(false);
    }

    /// <summary>Hands a request about an actor on to the sidecar in another process where it lives.</summary>
    public async Task<AppResponse> HandOnAsync(Peer peer, HttpMethod method, ActorKey key, string rest, ReadOnlyMemory<byte> body,
        IHeaderDictionary? headers, CancellationToken cancellation)
    {
        try
        {
            var path = $"/v1.0/actors/{Uri.EscapeDataString(key.Type)}/{Uri.EscapeDataString(key.Id)}{rest}";
            return await peers.Client.SendAsync(peer, method, path, body, headers, maximumBodyBytes, cancellation).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            peers.MarkUnreachable(peer);
            throw new ActorMovedException(key, failure);
        }
    }

    /// <summary>Where the actor lives; waits a while for somebody to host its type.</summary>
    public async ValueTask<ActorOwner> FindAsync(ActorKey key, CancellationToken cancellation)
    {
        var start = options.TimeProvider.GetTimestamp();
        while (true)
        {
            var changed = peers.Changed;
            var owner = placement.Find(key);
            if (owner != default)
                return owner;
            var left = options.Limits.PlacementWait - options.TimeProvider.GetElapsedTime(start);
            if (left <= TimeSpan.Zero)
                throw new ActorCallException(StatusCodes.Status500InternalServerError, ActorErrors.InvokeMethod,
                    $"error invoke actor method: did not find address for actor {key}");
            await changed.WaitAsync(left, options.TimeProvider, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellation.ThrowIfCancellationRequested();
        }
    }
}

/// <summary>The sidecar in which the actor lived is gone, or says that the actor does not live there.</summary>
internal sealed class ActorMovedException(ActorKey key, Exception? cause = null)
    : ActorCallException(StatusCodes.Status500InternalServerError, ActorErrors.InvokeMethod,
        $"error invoke actor method: actor {key} has moved", cause);
