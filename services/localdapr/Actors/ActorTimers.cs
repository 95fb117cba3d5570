using System.Collections.Concurrent;
using StripeMeter.LocalDapr.Reminders;

namespace StripeMeter.LocalDapr.Actors;

/// <summary>Timers of active actors. They live in memory and end with the activation.</summary>
internal sealed partial class ActorTimers(ActorHost host, LocalDaprOptions options)
{
    /// <summary>Timers of one sidecar.</summary>
    public const int MaximumTimers = 100_000;

    private readonly ConcurrentDictionary<(ActorKey Key, string Name), RunningTimer> _timers = new();
    private readonly ILogger _logger = options.LoggerFactory.CreateLogger<ActorTimers>();

    /// <summary>Timers that run.</summary>
    public int Count => _timers.Count;

    /// <summary>Starts a timer, in place of one of the same name.</summary>
    public void Set(ActorKey key, string name, Schedule schedule, ReadOnlyMemory<byte> callback)
    {
        if (_timers.Count >= MaximumTimers)
            throw new ActorCallException(StatusCodes.Status500InternalServerError, ActorErrors.TimerCreate,
                $"{MaximumTimers} timers run, which is the limit");
        Remove(key, name);
        var timer = new RunningTimer(schedule, callback);
        _timers[(key, name)] = timer;
        _ = RunAsync(key, name, timer);
    }

    public void Remove(ActorKey key, string name)
    {
        if (_timers.TryRemove((key, name), out var timer))
            timer.Ended.Cancel();
    }

    public void RemoveAll(ActorKey key)
    {
        foreach (var (owner, name) in _timers.Keys.Where(entry => entry.Key == key).ToList())
            Remove(owner, name);
    }

    private async Task RunAsync(ActorKey key, string name, RunningTimer timer)
    {
        try
        {
            var next = timer.Schedule;
            while (!next.HasEnded)
            {
                var pause = next.NextFireAt - options.TimeProvider.GetUtcNow();
                if (pause > TimeSpan.Zero)
                    await Task.Delay(pause, options.TimeProvider, timer.Ended.Token).ConfigureAwait(false);
                timer.Ended.Token.ThrowIfCancellationRequested();
                await FireAsync(key, name, timer).ConfigureAwait(false);
                next = next.AfterFire(options.TimeProvider.GetUtcNow());
            }
        }
        catch (OperationCanceledException)
        {
            // Removed, or its actor left.
        }
        finally
        {
            _timers.TryRemove(new KeyValuePair<(ActorKey, string), RunningTimer>((key, name), timer));
        }
    }

    private async Task FireAsync(ActorKey key, string name, RunningTimer timer)
    {
        try
        {
            var headers = new HeaderDictionary { ["Content-Type"] = "application/json" };
            var call = new ActorCall(key, $"timer/{Uri.EscapeDataString(name)}", timer.Callback, headers);
            using var answer = await host.TakeTurnAsync(call, CancellationToken.None).ConfigureAwait(false);
        }
        catch (ActorCallException failure)
        {
            LogTimerFailed(_logger, name, key, failure);
        }
    }

    [LoggerMessage(10, LogLevel.Warning, "Timer {Name} of actor {Actor} failed")]
    private static partial void LogTimerFailed(ILogger logger, string name, ActorKey actor, Exception failure);

    private sealed class RunningTimer(Schedule schedule, ReadOnlyMemory<byte> callback)
    {
        public Schedule Schedule { get; } = schedule;

        public ReadOnlyMemory<byte> Callback { get; } = callback;

        public CancellationTokenSource Ended { get; } = new();
    }
}
