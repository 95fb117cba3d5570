using Dapr;
using Dapr.Actors;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using StripeMeter.LocalDapr.Tests.Kit;

namespace StripeMeter.LocalDapr.Tests.Actors;

public sealed class AlarmTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(250);

    private readonly Rings _rings = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 24, 0, 0, 0, TimeSpan.Zero));

    private Task<TestGroup> StartAsync(bool strict = true) =>
        TestGroup.StartAsync(options => options with { TimeProvider = _time, Strict = strict });

    private async Task<IAlarmActor> AddAlarmAsync(TestGroup group, int? port = null)
    {
        var app = await group.AddAppAsync(app =>
        {
            app.Port = port ?? app.Port;
            app.Services = services => services.AddSingleton(_rings);
            app.Actors = static actors => actors.Actors.RegisterActor<AlarmActor>();
        });
        return app.Proxies.CreateActorProxy<IAlarmActor>(new ActorId("one"), nameof(AlarmActor));
    }

    /// <summary>Lets time pass until the condition holds.</summary>
    private Task PassUntilAsync(Func<bool> holds, string what) => Patience.UntilAsync(
        () =>
        {
            if (holds())
                return true;
            _time.Advance(Step);
            return false;
        },
        what);

    private static async Task<bool> IsGoneAsync(IAlarmActor alarm)
    {
        try
        {
            await alarm.DescribeReminder("alarm");
            return false;
        }
        catch (Exception failure) when (failure is ActorMethodInvocationException or DaprApiException)
        {
            return true;
        }
    }

    private async Task PassUntilGoneAsync(IAlarmActor alarm) => await Patience.UntilAsync(
        async () =>
        {
            _time.Advance(Step);
            return await IsGoneAsync(alarm);
        },
        "the reminder to be gone");

    [Fact]
    public async Task Reminder_StopsItselfInItsTenthFire_FiresTenTimes()
    {
        _rings.StopAt = 10;
        await using var group = await StartAsync();
        var alarm = await AddAlarmAsync(group);

        await alarm.StartReminder(new AlarmSettings { DueMs = 500, PeriodMs = 1000 });
        Assert.Equal("alarm 500 1000", await alarm.DescribeReminder("alarm"));
        await PassUntilGoneAsync(alarm);
        _time.Advance(TimeSpan.FromSeconds(30));

        Assert.Equal(10, _rings.Count);
    }

    [Theory]
    [InlineData(true, "alarm hello -1 -1")]
    [InlineData(false, "alarm hello 500 1000")]
    public async Task Reminder_DueTimeAndPeriod_ArriveEmptyInStrictMode(bool strict, string expected)
    {
        await using var group = await StartAsync(strict);
        var alarm = await AddAlarmAsync(group);

        await alarm.StartReminder(new AlarmSettings { DueMs = 500, PeriodMs = 1000 });
        await PassUntilAsync(() => _rings.Count > 0, "a fire");

        Assert.Equal(expected, _rings.All[0]);
    }

    [Fact]
    public async Task Reminder_WithRepetitions_FiresSoOften()
    {
        await using var group = await StartAsync();
        var alarm = await AddAlarmAsync(group);

        await alarm.StartReminder(new AlarmSettings { DueMs = 500, PeriodMs = 1000, Repetitions = 5 });
        await PassUntilGoneAsync(alarm);

        Assert.Equal(5, _rings.Count);
    }

    [Fact]
    public async Task Reminder_WithTtl_DoesNotFireAfterIt()
    {
        await using var group = await StartAsync();
        var alarm = await AddAlarmAsync(group);

        await alarm.StartReminder(new AlarmSettings { DueMs = 500, PeriodMs = 15_000, TtlMs = 20_000 });
        await PassUntilGoneAsync(alarm);

        Assert.InRange(_rings.Count, 1, 2);
    }

    [Fact]
    public async Task Reminder_WithTtlAndRepetitions_EndsWithWhicheverIsFirst()
    {
        await using var group = await StartAsync();
        var alarm = await AddAlarmAsync(group);

        await alarm.StartReminder(new AlarmSettings { DueMs = 500, PeriodMs = 1000, Repetitions = 2, TtlMs = 60_000 });
        await PassUntilGoneAsync(alarm);

        Assert.Equal(2, _rings.Count);
    }

    [Fact]
    public async Task Reminder_Once_FiresOnce()
    {
        await using var group = await StartAsync();
        var alarm = await AddAlarmAsync(group);

        await alarm.StartReminder(new AlarmSettings { DueMs = 500, PeriodMs = -1 });
        await PassUntilGoneAsync(alarm);

        Assert.Equal(1, _rings.Count);
    }

    [Fact]
    public async Task Reminder_Stopped_IsGoneAndFiresNoMore()
    {
        await using var group = await StartAsync();
        var alarm = await AddAlarmAsync(group);
        await alarm.StartReminder(new AlarmSettings { DueMs = 500, PeriodMs = 1000 });

        await alarm.StopReminder("alarm");
        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.True(await IsGoneAsync(alarm));
        Assert.Equal(0, _rings.Count);
    }

    [Fact]
    public async Task Reminder_FailsTwice_IsTriedAgainWithinTheTick()
    {
        _rings.Failures = 2;
        await using var group = await StartAsync();
        var alarm = await AddAlarmAsync(group);

        await alarm.StartReminder(new AlarmSettings { DueMs = 500, PeriodMs = -1 });
        await PassUntilGoneAsync(alarm);

        Assert.Equal(3, _rings.Count);
    }

    [Fact]
    public async Task Reminder_DueWhileTheSidecarIsDown_FiresAfterItsRestart()
    {
        await using var group = await StartAsync();
        var alarm = await AddAlarmAsync(group);
        await alarm.StartReminder(new AlarmSettings { DueMs = 10_000, PeriodMs = -1 });

        var restart = group.RestartSidecarsAsync();
        await Patience.UntilAsync(
            () =>
            {
                _time.Advance(Step);
                return restart.IsCompleted;
            },
            "the restart");
        await restart;
        await PassUntilAsync(() => _rings.Count > 0, "the fire");
    }

    [Fact]
    public async Task Reminder_WhoseTtlPassedWhileTheSidecarWasDown_DoesNotFire()
    {
        await using var group = await StartAsync();
        var alarm = await AddAlarmAsync(group);
        await alarm.StartReminder(new AlarmSettings { DueMs = 10_000, PeriodMs = -1, TtlMs = 20_000 });
        await group.Host.StopAsync();
        _time.Advance(TimeSpan.FromSeconds(30));

        await group.RestartSidecarsAsync();
        await PassUntilGoneAsync(alarm);

        Assert.Equal(0, _rings.Count);
    }

    [Fact]
    public async Task Reminder_DoubledOnRequest_FiresTwice()
    {
        await using var group = await StartAsync();
        var alarm = await AddAlarmAsync(group);
        group.Host.Faults.DoubleReminders(nameof(AlarmActor));

        await alarm.StartReminder(new AlarmSettings { DueMs = 500, PeriodMs = -1 });
        await PassUntilGoneAsync(alarm);

        Assert.Equal(2, _rings.Count);
    }

    [Fact]
    public async Task Timer_StopsItselfInItsTenthFire_FiresTenTimes()
    {
        _rings.StopAt = 10;
        await using var group = await StartAsync();
        var alarm = await AddAlarmAsync(group);

        await alarm.StartTimer(new AlarmSettings { DueMs = 500, PeriodMs = 1000 });
        await PassUntilAsync(() => _rings.Count >= 10, "ten fires");
        _time.Advance(TimeSpan.FromSeconds(30));
        await IsGoneAsync(alarm);

        Assert.Equal(10, _rings.Count);
    }

    [Fact]
    public async Task Timer_WithTtl_DoesNotFireAfterIt()
    {
        await using var group = await StartAsync();
        var alarm = await AddAlarmAsync(group);

        await alarm.StartTimer(new AlarmSettings { DueMs = 500, PeriodMs = 1000, TtlMs = 2200 });
        await PassUntilAsync(() => group.Host.Sidecars["app"].Inner.Actors.Timers.Count == 0, "the timer to end");

        Assert.InRange(_rings.Count, 1, 2);
    }
}
