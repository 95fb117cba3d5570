namespace StripeMeter.LocalDapr;

/// <summary>Wakes whoever took <see cref="Next"/> before it was set.</summary>
internal sealed class Signal
{
    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Done at the next <see cref="Set"/>. Take it, look, then wait for it: no change between is missed.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    public void Set() =>
        Interlocked.Exchange(ref _next, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
}
