using System.Collections.Concurrent;

namespace StripeMeter.LocalDapr.Actors;

/// <summary>The active actors of one app: who may take turns and save state, and when they fall idle.</summary>
internal sealed class ActorTable(LocalDaprOptions options, Func<ActiveActor, Task> deactivated)
{
    private readonly ConcurrentDictionary<ActorKey, ActiveActor> _actors = new();

    public bool IsActive(ActorKey key) => _actors.TryGetValue(key, out var actor) && !actor.IsLeaving;

    /// <summary>Calls that wait for the turn of an actor.</summary>
    public int WaitingTurns(ActorKey key) => _actors.TryGetValue(key, out var actor) ? actor.Turns.Waiting : 0;

    public IReadOnlyDictionary<string, int> CountByType() =>
        _actors.Keys.CountBy(static key => key.Type).ToDictionary(static pair => pair.Key, static pair => pair.Value);

    /// <summary>Takes the next turn of the actor and activates it when needed. The caller ends the turn with
    /// <see cref="TurnLock.Exit"/>.</summary>
    public async ValueTask<ActiveActor> EnterTurnAsync(ActorKey key, ActorTypeOptions type, string chain, CancellationToken cancellation)
    {
        while (true)
        {
            var actor = FindOrActivate(key, type);
            if (actor.IsLeaving)
            {
                await actor.Left.WaitAsync(cancellation).ConfigureAwait(false);
                continue;
            }

            try
            {
                await actor.Turns.EnterAsync(chain, cancellation).ConfigureAwait(false);
                actor.IdleTimer?.Change(type.IdleTimeout, Timeout.InfiniteTimeSpan);
                return actor;
            }
            catch (ActorDeactivatedException)
            {
                // The next look finds the activation that follows.
            }
        }
    }

    private ActiveActor FindOrActivate(ActorKey key, ActorTypeOptions type)
    {
        if (_actors.TryGetValue(key, out var known))
            return known;
        if (_actors.Count >= options.Limits.ActiveActors)
            throw new ActorCallException(StatusCodes.Status503ServiceUnavailable, ActorErrors.InvokeMethod,
                $"{options.Limits.ActiveActors} actors are active, which is the limit");
        var fresh = new ActiveActor(key, type, options.Limits.WaitingTurnsPerActor);
        var actor = _actors.GetOrAdd(key, fresh);
        if (ReferenceEquals(actor, fresh))
            fresh.IdleTimer = options.TimeProvider.CreateTimer(OnIdle, fresh, type.IdleTimeout, Timeout.InfiniteTimeSpan);
        return actor;
    }

    private void OnIdle(object? state)
    {
        var actor = (ActiveActor)state!;
        // daprd aborts a call that is longer than the idle timeout; without strict mode it may finish first.
        if (!options.Strict && actor.Turns.IsHeld)
            actor.IdleTimer?.Change(actor.Options.IdleTimeout, Timeout.InfiniteTimeSpan);
        else
            _ = DeactivateAsync(actor);
    }

    private async Task DeactivateAsync(ActiveActor actor)
    {
        actor.Leave();
        try
        {
            await deactivated(actor).ConfigureAwait(false);
        }
        finally
        {
            _actors.TryRemove(new KeyValuePair<ActorKey, ActiveActor>(actor.Key, actor));
            actor.HasLeft();
            actor.Dispose();
        }
    }

    /// <summary>Deactivates every actor, as daprd does when it stops.</summary>
    public Task DeactivateAllAsync() => Task.WhenAll(_actors.Values.Where(static actor => !actor.IsLeaving).Select(DeactivateAsync));
}
