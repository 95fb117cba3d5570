namespace StripeMeter.LocalDapr.Actors;

/// <summary>An actor the app holds in memory, as far as the sidecar knows.</summary>
internal sealed class ActiveActor : IDisposable
{
    private readonly CancellationTokenSource _aborted = new();
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ActiveActor(ActorKey key, ActorTypeOptions options, int maximumWaitingTurns)
    {
        Key = key;
        Options = options;
        Turns = new TurnLock(options.Reentrancy, maximumWaitingTurns);
        Aborted = _aborted.Token;
    }

    public ActorKey Key { get; }

    public ActorTypeOptions Options { get; }

    public TurnLock Turns { get; }

    /// <summary>Ends the calls in flight when the actor is deactivated.</summary>
    public CancellationToken Aborted { get; }

    /// <summary>Fires when the actor was idle for long enough; restarted at the start of each turn.</summary>
    public ITimer? IdleTimer { get; set; }

    /// <summary>Set first when it leaves: from then on it may save no state.</summary>
    public bool IsLeaving { get; private set; }

    /// <summary>Done when the app has been told; the next activation waits for it.</summary>
    public Task Left => _left.Task;

    public void Leave()
    {
        IsLeaving = true;
        IdleTimer?.Dispose();
        Turns.Close();
        _aborted.Cancel();
    }

    public void HasLeft() => _left.TrySetResult();

    public void Dispose()
    {
        IdleTimer?.Dispose();
        _aborted.Dispose();
    }
}
