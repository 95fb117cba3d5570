using System.Text;
using Dapr.Actors;
using Dapr.Actors.Runtime;

namespace StripeMeter.LocalDapr.Tests.Actors;

public interface IAlarmActor : IActor
{
    Task StartReminder(AlarmSettings settings);

    Task StopReminder(string name);

    Task<string> DescribeReminder(string name);

    Task StartTimer(AlarmSettings settings);
}

/// <summary>How an alarm is to ring; times in milliseconds, 0 for none.</summary>
public sealed class AlarmSettings
{
    public string Name { get; set; } = "alarm";

    public int DueMs { get; set; }

    /// <summary>-1: once.</summary>
    public int PeriodMs { get; set; }

    public int Repetitions { get; set; }

    public int TtlMs { get; set; }
}

/// <summary>What rang, shared with the test.</summary>
public sealed class Rings
{
    private readonly Lock _lock = new();
    private readonly List<string> _rings = [];

    /// <summary>The alarm stops itself at this many; 0 is never.</summary>
    public int StopAt { get; set; }

    /// <summary>Fires that throw before one succeeds.</summary>
    public int Failures { get; set; }

    public int Count
    {
        get
        {
            lock (_lock)
                return _rings.Count;
        }
    }

    public IReadOnlyList<string> All
    {
        get
        {
            lock (_lock)
                return [.. _rings];
        }
    }

    public int Add(string ring)
    {
        lock (_lock)
        {
            _rings.Add(ring);
            return _rings.Count;
        }
    }
}

public sealed class AlarmActor(ActorHost host, Rings rings) : Actor(host), IAlarmActor, IRemindable
{
    public async Task StartReminder(AlarmSettings settings)
    {
        var data = Encoding.UTF8.GetBytes("hello");
        var (due, period) = (TimeSpan.FromMilliseconds(settings.DueMs), TimeSpan.FromMilliseconds(settings.PeriodMs));
        var ttl = TimeSpan.FromMilliseconds(settings.TtlMs);
        _ = (settings.Repetitions, settings.TtlMs) switch
        {
            (0, 0) => await RegisterReminderAsync(settings.Name, data, due, period),
            (0, _) => await RegisterReminderAsync(settings.Name, data, due, period, ttl),
            (_, 0) => await RegisterReminderAsync(settings.Name, data, due, period, settings.Repetitions),
            _ => await RegisterReminderAsync(settings.Name, data, due, period, settings.Repetitions, ttl),
        };
    }

    public Task StopReminder(string name) => UnregisterReminderAsync(name);

    public async Task<string> DescribeReminder(string name)
    {
        var reminder = await GetReminderAsync(name);
        return $"{reminder.Name} {reminder.DueTime.TotalMilliseconds} {reminder.Period.TotalMilliseconds}";
    }

    public Task StartTimer(AlarmSettings settings) => settings.TtlMs == 0
        ? RegisterTimerAsync(settings.Name, nameof(OnTimer), [], TimeSpan.FromMilliseconds(settings.DueMs),
            TimeSpan.FromMilliseconds(settings.PeriodMs))
        : RegisterTimerAsync(settings.Name, nameof(OnTimer), [], TimeSpan.FromMilliseconds(settings.DueMs),
            TimeSpan.FromMilliseconds(settings.PeriodMs), TimeSpan.FromMilliseconds(settings.TtlMs));

    public async Task OnTimer(byte[] data)
    {
        if (rings.Add("timer") == rings.StopAt)
            await UnregisterTimerAsync("alarm");
    }

    public async Task ReceiveReminderAsync(string reminderName, byte[] state, TimeSpan dueTime, TimeSpan period)
    {
        var count = rings.Add($"{reminderName} {Encoding.UTF8.GetString(state)} {dueTime.TotalMilliseconds} {period.TotalMilliseconds}");
        if (count <= rings.Failures)
            throw new InvalidOperationException("not yet");
        if (count == rings.StopAt)
            await UnregisterReminderAsync(reminderName);
    }
}
