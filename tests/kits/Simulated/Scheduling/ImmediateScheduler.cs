namespace StripeMeter.Kits.Simulated.Scheduling;

/// <summary>
/// Runs every step when it is posted, one at a time, from any thread. With it, simulated ports behave as a plain store
/// in memory.
/// </summary>
public sealed class ImmediateScheduler(TimeProvider clock) : IStepScheduler
{
    private readonly Lock _gate = new();

    public TimeProvider Clock => clock;

    public void Post(Action step)
    {
        lock (_gate)
            step();
    }

    public void PostAfter(TimeSpan delay, Action step) => Post(step);
}
