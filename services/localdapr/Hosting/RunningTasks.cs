using System.Collections.Concurrent;

namespace StripeMeter.LocalDapr;

/// <summary>Work that nobody awaits yet, so that stopping can.</summary>
internal sealed class RunningTasks
{
    private readonly ConcurrentDictionary<Task, byte> _tasks = new();

    public void Track(Task task)
    {
        if (task.IsCompleted)
            return;
        _tasks[task] = 0;
        task.ContinueWith(static (done, tasks) => ((ConcurrentDictionary<Task, byte>)tasks!).TryRemove(done, out _), _tasks,
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Waits for what runs, no longer than the limit.</summary>
    public async Task WaitAsync(TimeSpan limit, TimeProvider time) =>
        await Task.WhenAll(_tasks.Keys).WaitAsync(limit, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
