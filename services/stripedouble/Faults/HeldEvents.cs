namespace StripeMeter.StripeDouble.Faults;

/// <summary>Meter events that wait between being checked and being taken. Disposing lets them go, once and for all.</summary>
public sealed class HeldEvents : IDisposable
{
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _arrivals = new(0);

    /// <summary>Done when one more event waits.</summary>
    public Task ArrivedAsync(CancellationToken cancellation = default) => _arrivals.WaitAsync(cancellation);

    public void Dispose() => _released.TrySetResult();

    internal Task ArriveAsync()
    {
        if (!_released.Task.IsCompleted)
            _arrivals.Release();
        return _released.Task;
    }
}
