using System.Buffers;
using System.Collections.Concurrent;
using System.Text.Json;
using StripeMeter.LocalDapr.Actors;
using StripeMeter.LocalDapr.Transport;

namespace StripeMeter.LocalDapr.Reminders;

/// <summary>
/// Fires the reminders of the actors that live in one sidecar. What is next is asked of the store each time, so that nothing is
/// lost with the process; a fire is noted after it happened, so one may come twice (Dapr promises at least once).
/// </summary>
internal sealed partial class ReminderScheduler(ReminderStore store, ActorHost host, Func<ActorKey, bool> isHere,
    InjectedFaults faults, LocalDaprOptions options) : IDisposable
{
    /// <summary>Longest time between two looks at the store.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<(ActorKey, string), byte> _firing = new();
    private readonly SemaphoreSlim _places = new(options.Limits.FiringReminders);
    private readonly Signal _changed = new();
    private readonly RunningTasks _running = new();
    private readonly ILogger _logger = options.LoggerFactory.CreateLogger<ReminderScheduler>();

    public ReminderStore Store => store;

    /// <summary>Tells that a reminder was registered.</summary>
    public void Wake() => _changed.Set();

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            var changed = _changed.Next;
            var pause = LongestPause;
            try
            {
                pause = await FireDueAsync(stopping).ConfigureAwait(false);
            }
            catch (Exception failure) when (!stopping.IsCancellationRequested)
            {
                LogLookFailed(_logger, failure);
            }
            catch (OperationCanceledException)
            {
                break;
            }

            await changed.WaitAsync(pause, options.TimeProvider, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await _running.WaitAsync(options.Limits.GracefulShutdown, options.TimeProvider).ConfigureAwait(false);
    }

    private async Task<TimeSpan> FireDueAsync(CancellationToken stopping)
    {
        var now = options.TimeProvider.GetUtcNow();
        // Those that are firing are still listed as due; looking past them needs room for them.
        foreach (var reminder in store.Next((2 * options.Limits.FiringReminders) + _firing.Count))
        {
            if (_firing.ContainsKey((reminder.Actor, reminder.Name)) || !isHere(reminder.Actor))
                continue;
            var pause = reminder.Schedule.NextFireAt - now;
            if (pause > TimeSpan.Zero)
                return pause < LongestPause ? pause : LongestPause;
            await _places.WaitAsync(stopping).ConfigureAwait(false);
            _firing[(reminder.Actor, reminder.Name)] = 0;
            _running.Track(FireAndAdvanceAsync(reminder, stopping));
        }

        return LongestPause;
    }

    private async Task FireAndAdvanceAsync(Reminder reminder, CancellationToken stopping)
    {
        try
        {
            if (reminder.Schedule.HasEnded || options.TimeProvider.GetUtcNow() >= reminder.Schedule.ExpiresAt)
            {
                await store.AdvanceAsync(reminder, reminder.Schedule with { FiresLeft = 0 }).ConfigureAwait(false);
                return;
            }

            var cancelled = await FireWithRetriesAsync(reminder, stopping).ConfigureAwait(false);
            if (faults.TakeDoubleReminder(reminder.Actor.Type))
                cancelled |= await FireWithRetriesAsync(reminder, stopping).ConfigureAwait(false);
            var next = cancelled ? reminder.Schedule with { FiresLeft = 0 } : reminder.Schedule.AfterFire(options.TimeProvider.GetUtcNow());
            await store.AdvanceAsync(reminder, next).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !stopping.IsCancellationRequested)
        {
            LogFireFailed(_logger, reminder.Name, reminder.Actor, failure);
        }
        catch (OperationCanceledException)
        {
            // Stopping: the reminder fires again after the next start.
        }
        finally
        {
            _firing.TryRemove((reminder.Actor, reminder.Name), out _);
            _places.Release();
            Wake();
        }
    }

    /// <summary>True when the app asked to cancel the reminder.</summary>
    private async Task<bool> FireWithRetriesAsync(Reminder reminder, CancellationToken stopping)
    {
        for (var retry = 0; ; retry++)
        {
            try
            {
                return await FireAsync(reminder, stopping).ConfigureAwait(false);
            }
            catch (ActorCallException failure)
            {
                LogFireFailed(_logger, reminder.Name, reminder.Actor, failure);
                if (retry >= reminder.OnFailure.MaximumRetries)
                    return false;
            }

            await Task.Delay(reminder.OnFailure.Interval, options.TimeProvider, stopping).ConfigureAwait(false);
        }
    }

    private async Task<bool> FireAsync(Reminder reminder, CancellationToken stopping)
    {
        var headers = new HeaderDictionary { ["Content-Type"] = "application/json" };
        var call = new ActorCall(reminder.Actor, $"remind/{Uri.EscapeDataString(reminder.Name)}", WriteBody(reminder), headers);
        using var answer = await host.TakeTurnAsync(call, stopping).ConfigureAwait(false);
        return answer.HasHeader(DaprHeaders.CancelReminder, "true");
    }

    /// <summary>Since runtime 1.15 the scheduler carries only the data, so due time and period arrive empty.</summary>
    private ReadOnlyMemory<byte> WriteBody(Reminder reminder)
    {
        var buffer = new ArrayBufferWriter<byte>(reminder.Data.Length + 64);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        if (reminder.Data.Length > 0)
        {
            json.WritePropertyName("data"u8);
            json.WriteRawValue(reminder.Data, skipInputValidation: true);
        }

        json.WriteString("dueTime"u8, options.Strict ? "" : reminder.DueTime);
        json.WriteString("period"u8, options.Strict ? "" : reminder.Period);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    public void Dispose() => _places.Dispose();

    [LoggerMessage(20, LogLevel.Warning, "Reminder {Name} of actor {Actor} failed")]
    private static partial void LogFireFailed(ILogger logger, string name, ActorKey actor, Exception failure);

    [LoggerMessage(21, LogLevel.Error, "Reminders could not be read")]
    private static partial void LogLookFailed(ILogger logger, Exception failure);
}
