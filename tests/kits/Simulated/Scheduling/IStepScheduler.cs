namespace StripeMeter.Kits.Simulated.Scheduling;

/// <summary>
/// Decides when things happen. Whatever a simulated port does is a step: it is posted, and runs when the scheduler says
/// so. Code that awaits a port goes on inside the step that answers it.
/// </summary>
public interface IStepScheduler
{
    /// <summary>The only time there is.</summary>
    TimeProvider Clock { get; }

    /// <summary>Posts a step that may run any time from now on.</summary>
    void Post(Action step);

    /// <summary>Posts a step that may run once this much time has passed.</summary>
    void PostAfter(TimeSpan delay, Action step);
}
