using StripeMeter.Metering.Ledger;

namespace StripeMeter.Kits.Simulated.Scheduling;

/// <summary>A caller does not know what became of its call.</summary>
public sealed class CallLostException() : Exception("The call was not answered.");

/// <summary>Carries calls between processes. Whether a call arrives, and whether its answer does, are two questions.</summary>
public sealed class SimulatedNetwork(IStepScheduler scheduler, FaultDice dice)
{
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(20);

    private readonly List<Exception> _unexplained = [];

    public IStepScheduler Scheduler => scheduler;

    public FaultDice Dice => dice;

    /// <summary>Failures of called work that no fault explains.</summary>
    public IReadOnlyList<Exception> Unexplained => _unexplained;

    /// <summary>Has a process do some work and brings the result back to another, if that still lives.</summary>
    /// <exception cref="CallLostException">The called process crashed, or its answer was lost.</exception>
    public Task<T> CallAsync<T>(SimulatedProcess caller, SimulatedProcess called, Func<Task<T>> work)
    {
        var answer = new TaskCompletionSource<T>();
        called.OnCrash(() => Answer(caller, () => answer.TrySetException(new CallLostException())));
        scheduler.Post(() => Serve(called, work, outcome => Answer(caller, () =>
        {
            if (outcome.IsFaulted)
                Fail(answer, outcome.Exception.InnerExceptions);
            else if (dice.Strikes(Fault.CallAnswerLost))
                answer.TrySetException(new CallLostException());
            else
                answer.TrySetFromTask(outcome);
        })));
        return answer.Task;
    }

    /// <summary>Completes after some time, if the process still lives.</summary>
    public Task PauseAsync(SimulatedProcess process, TimeSpan pause)
    {
        var over = new TaskCompletionSource();
        scheduler.PostAfter(pause, () =>
        {
            if (process.IsAlive)
                over.SetResult();
        });
        return over.Task;
    }

    /// <summary>Brings an answer to a process: now, in a step of its own, or after a while.</summary>
    internal void Answer(SimulatedProcess caller, Action deliver)
    {
        void Deliver()
        {
            if (caller.IsAlive)
                deliver();
        }

        if (dice.Strikes(Fault.AnswerSlow))
            scheduler.PostAfter(dice.Delay(LongestDelay), Deliver);
        else
            scheduler.Post(Deliver);
    }

    private void Fail<T>(TaskCompletionSource<T> answer, IReadOnlyCollection<Exception> failures)
    {
        _unexplained.AddRange(failures.Where(failure => failure is not (StoreUnavailableException or CallLostException)));
        answer.TrySetException(failures);
    }

    private static void Serve<T>(SimulatedProcess called, Func<Task<T>> work, Action<Task<T>> finish)
    {
        if (!called.IsAlive)
            return;
        var task = work();
        if (task.IsCompleted)
            finish(task);
        else
            task.ContinueWith(finish, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}
