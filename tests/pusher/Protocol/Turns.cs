namespace StripeMeter.Pusher.Tests.Protocol;

/// <summary>
/// Lets many asynchronous processes take their steps one at a time, in an order that the seed decides. Everything runs on
/// the thread that calls <see cref="Step"/>.
/// </summary>
internal sealed class Turns(Random random)
{
    private readonly List<(SimulatedProcess Process, TaskCompletionSource Step)> _waiting = [];

    public bool AreOver => _waiting.Count == 0;

    public Task WaitAsync(SimulatedProcess process)
    {
        // A process that crashed waits for ever.
        var step = new TaskCompletionSource();
        if (!process.IsCrashed)
            _waiting.Add((process, step));
        return step.Task;
    }

    public void Step()
    {
        var index = random.Next(_waiting.Count);
        var step = _waiting[index].Step;
        _waiting.RemoveAt(index);
        step.SetResult();
    }

    public void Crash(SimulatedProcess process)
    {
        process.IsCrashed = true;
        _waiting.RemoveAll(waiting => waiting.Process == process);
    }
}

internal sealed class SimulatedProcess
{
    public bool IsCrashed { get; set; }

    public Task Work { get; set; } = Task.CompletedTask;
}
