namespace StripeMeter.LocalDapr.Actors;

/// <summary>
/// One turn at a time, in the order of arrival. With reentrancy a call of the chain that holds the turn enters at once (daprd:
/// <c>pkg/actors/targets/app/lock</c>).
/// </summary>
internal sealed class TurnLock(ReentrancyOptions reentrancy, int maximumWaiting)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Waiter> _waiting = new();
    private string? _holder;
    private int _depth;
    private bool _closed;

    /// <summary>Enters the turn for a chain of calls; <see cref="Exit"/> ends it.</summary>
    /// <exception cref="ActorDeactivatedException">The actor left while this call waited; a new activation takes it.</exception>
    /// <exception cref="ActorCallException">The chain is too deep, or too many calls wait.</exception>
    public ValueTask EnterAsync(string chain, CancellationToken cancellation)
    {
        Waiter waiter;
        lock (_gate)
        {
            if (_closed)
                throw new ActorDeactivatedException();
            if (_depth == 0 || (reentrancy.Enabled && chain == _holder))
            {
                Take(chain);
                return ValueTask.CompletedTask;
            }

            if (_waiting.Count >= maximumWaiting)
                throw new ActorCallException(StatusCodes.Status429TooManyRequests, ActorErrors.InvokeMethod,
                    $"{maximumWaiting} calls already wait for this actor");
            waiter = new Waiter(chain);
            waiter.Node = _waiting.AddLast(waiter);
        }

        return new ValueTask(WaitAsync(waiter, cancellation));
    }

    private async Task WaitAsync(Waiter waiter, CancellationToken cancellation)
    {
        await using var registration = cancellation.UnsafeRegister(static (state, token) =>
        {
            var (turns, waiter) = ((TurnLock, Waiter))state!;
            turns.GiveUp(waiter, token);
        }, (this, waiter)).ConfigureAwait(false);
        await waiter.Entered.Task.ConfigureAwait(false);
    }

    private void GiveUp(Waiter waiter, CancellationToken token)
    {
        lock (_gate)
        {
            if (waiter.Node?.List is null)
                return;
            _waiting.Remove(waiter.Node);
        }

        waiter.Entered.TrySetCanceled(token);
    }

    private void Take(string chain)
    {
        if (reentrancy.Enabled && _depth >= reentrancy.MaximumStackDepth)
            throw new ActorCallException(StatusCodes.Status500InternalServerError, ActorErrors.InvokeMethod,
                "maximum stack depth exceeded");
        _holder = chain;
        _depth++;
    }

    public void Exit()
    {
        Waiter next;
        lock (_gate)
        {
            if (--_depth > 0 || _waiting.First is not { } first)
                return;
            _waiting.RemoveFirst();
            next = first.Value;
            Take(next.Chain);
        }

        next.Entered.SetResult();
    }

    /// <summary>Lets nobody in any more.</summary>
    public void Close()
    {
        List<Waiter> left;
        lock (_gate)
        {
            _closed = true;
            left = [.. _waiting];
            _waiting.Clear();
        }

        foreach (var waiter in left)
            waiter.Entered.TrySetException(new ActorDeactivatedException());
    }

    public bool IsHeld
    {
        get
        {
            lock (_gate)
                return _depth > 0;
        }
    }

    public int Waiting
    {
        get
        {
            lock (_gate)
                return _waiting.Count;
        }
    }

    private sealed class Waiter(string chain)
    {
        public string Chain { get; } = chain;

        public LinkedListNode<Waiter>? Node { get; set; }

        public TaskCompletionSource Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>The activation a call waited for is gone.</summary>
internal sealed class ActorDeactivatedException : Exception;
