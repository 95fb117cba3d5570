using System.Net;
using Dapr;
using Dapr.Actors;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using StripeMeter.LocalDapr.Actors;
using StripeMeter.LocalDapr.Resources;
using StripeMeter.LocalDapr.Tests.Kit;

namespace StripeMeter.LocalDapr.Tests.Actors;

public sealed class ActorCallTests
{
    private readonly ActorLog _log = new();

    private Task<TestApp> AddCountersAsync(TestGroup group, TimeSpan? idle = null, string appId = "app", int? port = null) => group.AddAppAsync(
        app =>
        {
            app.Port = port ?? app.Port;
            app.Services = services => services.AddSingleton(_log);
            app.Actors = actors =>
            {
                actors.Actors.RegisterActor<CounterActor>();
                if (idle is { } timeout)
                    actors.ActorIdleTimeout = timeout;
            };
            app.Endpoints = endpoints => endpoints.Use((context, next) =>
            {
                if (context.Request.Path.StartsWithSegments("/dapr"))
                    _log.Write($"asked {context.Request.Path}");
                return next(context);
            });
        },
        appId);

    /// <summary>What the actors did.</summary>
    private IEnumerable<string> Turns => _log.Lines.Where(static line => !line.StartsWith("asked", StringComparison.Ordinal));

    private static ICounterActor Counter(TestApp app, string id = "one") =>
        app.Proxies.CreateActorProxy<ICounterActor>(new ActorId(id), nameof(CounterActor));

    [Theory]
    [InlineData("one")]
    [InlineData("a b")]
    [InlineData("t:1")]
    [InlineData("user@x.com")]
    [InlineData("a||b")]
    public async Task Call_AnyIdTheSdkCanSend_CountsInItsOwnState(string id)
    {
        await using var group = await TestGroup.StartAsync();
        var app = await AddCountersAsync(group);

        Assert.Equal(3, await Counter(app, id).Add(3));
        Assert.Equal(7, await Counter(app, id).Add(4));
        Assert.Equal(0, await Counter(app, "another").Read());
    }

    [Theory]
    [InlineData(AppProtocol.Http)]
    [InlineData(AppProtocol.H2c)]
    public async Task Call_EitherHttpProtocol_ReachesTheActor(AppProtocol protocol)
    {
        await using var group = await TestGroup.StartAsync(options =>
            options with { Apps = [.. options.Apps.Select(app => app with { AppProtocol = protocol })] });
        var app = await AddCountersAsync(group);

        Assert.Equal(1, await Counter(app).Add(1));
    }

    [Fact]
    public async Task Call_WhileAnotherHoldsTheTurn_WaitsInOrderOfArrival()
    {
        await using var group = await TestGroup.StartAsync();
        var app = await AddCountersAsync(group);
        var calls = new List<Task>();
        foreach (var gate in new[] { "first", "second", "third" })
        {
            calls.Add(Counter(app).Hold(gate));
            if (gate == "first")
                await Patience.UntilAsync(() => _log.Lines.Contains("enter one first"), "the first turn");
            else
                await Patience.UntilAsync(() => group.Host.Sidecars["app"]
                    .Inner.Actors.Table.WaitingTurns(new ActorKey(nameof(CounterActor), "one")) == calls.Count - 1, "the call to queue");
        }

        foreach (var gate in new[] { "third", "second", "first" })
            _log.Open(gate);
        await Task.WhenAll(calls).WaitAsync(Patience.Limit);

        Assert.Equal(["activate one", "enter one first", "leave one first", "enter one second", "leave one second",
            "enter one third", "leave one third"], Turns);
    }

    [Fact]
    public async Task Call_OtherActor_DoesNotWait()
    {
        await using var group = await TestGroup.StartAsync();
        var app = await AddCountersAsync(group);
        var held = Counter(app).Hold("gate");
        await Patience.UntilAsync(() => _log.Lines.Contains("enter one gate"), "the turn");

        Assert.Equal(1, await Counter(app, "two").Add(1).WaitAsync(Patience.Limit));
        _log.Open("gate");
        await held.WaitAsync(Patience.Limit);
    }

    [Fact]
    public async Task Call_MoreWaitersThanAllowed_IsRefused()
    {
        await using var group = await TestGroup.StartAsync(static options =>
            options with { Limits = new LocalDaprLimits { WaitingTurnsPerActor = 1 } });
        var app = await AddCountersAsync(group);
        var key = new ActorKey(nameof(CounterActor), "one");
        var first = Counter(app).Hold("gate");
        await Patience.UntilAsync(() => _log.Lines.Contains("enter one gate"), "the turn");
        var second = Counter(app).Hold("gate");
        await Patience.UntilAsync(() => group.Host.Sidecars["app"].Inner.Actors.Table.WaitingTurns(key) == 1, "a waiter");

        await Assert.ThrowsAsync<DaprApiException>(() => Counter(app).Hold("gate"));
        _log.Open("gate");
        await Task.WhenAll(first, second).WaitAsync(Patience.Limit);
    }

    [Fact]
    public async Task Call_MethodThrows_CallerGetsTheException_AndNothingIsSaved()
    {
        await using var group = await TestGroup.StartAsync();
        var app = await AddCountersAsync(group);
        await Counter(app).Add(5);

        var failure = await Assert.ThrowsAsync<ActorMethodInvocationException>(() => Counter(app).AddAndThrow(100));

        Assert.Contains("InvalidOperationException", failure.Message, StringComparison.Ordinal);
        Assert.Matches("Method Name: .+Line Number: [1-9]", failure.Message);
        Assert.Equal(6, await Counter(app).Add(1));
    }

    [Fact]
    public async Task WeaklyTypedCall_MethodThrows_CallerGetsDaprApiException()
    {
        await using var group = await TestGroup.StartAsync();
        var app = await AddCountersAsync(group);
        var proxy = app.Proxies.Create(new ActorId("one"), nameof(CounterActor));

        await Assert.ThrowsAsync<DaprApiException>(() => proxy.InvokeMethodAsync(nameof(ICounterActor.AddAndThrow), 100));
        Assert.Equal(2, await proxy.InvokeMethodAsync<int, int>(nameof(ICounterActor.Add), 2));
    }

    [Fact]
    public async Task Call_TypeNobodyHosts_FailsAfterTheWait()
    {
        await using var group = await TestGroup.StartAsync(static options =>
            options with { Limits = new LocalDaprLimits { PlacementWait = TimeSpan.FromMilliseconds(50) } });
        var app = await AddCountersAsync(group);
        var proxy = app.Proxies.Create(new ActorId("one"), "Nobody");

        var failure = await Assert.ThrowsAsync<DaprApiException>(() => proxy.InvokeMethodAsync("Anything"));

        Assert.Equal("ERR_ACTOR_INVOKE_METHOD", failure.ErrorCode);
    }

    [Theory]
    [InlineData("a%2Fb")]
    [InlineData("a%5Cb")]
    [InlineData("a%3Fb")]
    [InlineData("a%23b")]
    [InlineData("a%01b")]
    public async Task Call_IdWithForbiddenCharacter_IsRefused(string id)
    {
        await using var group = await TestGroup.StartAsync();
        await AddCountersAsync(group);
        using var http = new HttpClient();

        using var answer = await http.PutAsync(new Uri($"{group.Host.Sidecars["app"].HttpEndpoint}/v1.0/actors/CounterActor/{id}/method/Read"), null);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Empty(Turns);
    }

    [Fact]
    public async Task Call_DoubleSlashInThePath_IsCleaned()
    {
        await using var group = await TestGroup.StartAsync();
        await AddCountersAsync(group);
        using var http = new HttpClient();

        using var answer = await http.PutAsync(new Uri($"{group.Host.Sidecars["app"].HttpEndpoint}//v1.0//actors/CounterActor/one/method/Read"), null);

        Assert.Equal("0", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Call_FromTheSidecarOfAnotherApp_ReachesTheHost()
    {
        await using var group = await TestGroup.StartAsync(null, "host", "caller");
        await AddCountersAsync(group, appId: "host");
        var caller = await group.AddAppAsync(static app => app.Actors = static _ => { }, "caller");

        Assert.Equal(9, await Counter(caller).Add(9));
    }

    [Fact]
    public async Task IdleActor_AfterItsTimeout_IsDeactivated_AndComesBackWithItsState()
    {
        await using var group = await TestGroup.StartAsync();
        var app = await AddCountersAsync(group, idle: TimeSpan.FromMilliseconds(300));
        await Counter(app).Add(5);

        await Patience.UntilAsync(() => _log.Lines.Contains("deactivate one"), "deactivation");
        Assert.Equal(6, await Counter(app).Add(1));

        Assert.Equal(["activate one", "deactivate one", "activate one"], Turns.Take(3));
    }

    [Fact]
    public async Task SaveDuringDeactivation_IsRefused()
    {
        _log.SavesOnDeactivation = true;
        await using var group = await TestGroup.StartAsync();
        var app = await AddCountersAsync(group, idle: TimeSpan.FromMilliseconds(300));
        await Counter(app).Add(5);

        await Patience.UntilAsync(() => _log.Lines.Any(static line => line.StartsWith("late save one", StringComparison.Ordinal)),
            "the late save");

        Assert.Contains(_log.Lines, static line => line.StartsWith("late save one refused", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CallLongerThanTheIdleTimeout_IsAborted_InStrictModeOnly(bool strict)
    {
        await using var group = await TestGroup.StartAsync(options => options with { Strict = strict });
        var app = await AddCountersAsync(group, idle: TimeSpan.FromMilliseconds(400));
        var call = Counter(app).Hold("gate");
        await Patience.UntilAsync(() => _log.Lines.Contains("enter one gate"), "the turn");

        if (strict)
        {
            await Assert.ThrowsAsync<DaprApiException>(() => call.WaitAsync(Patience.Limit));
            _log.Open("gate");
        }
        else
        {
            Assert.Equal(1, await Counter(app, "two").Add(1));
            await Patience.UntilAsync(() => _log.Lines.Contains("deactivate two"), "the other actor to fall idle, which takes as long");
            _log.Open("gate");
            await call.WaitAsync(Patience.Limit);
        }
    }

    [Fact]
    public async Task SidecarRestart_KeepsState()
    {
        await using var group = await TestGroup.StartAsync();
        var app = await AddCountersAsync(group);
        await Counter(app).Add(5);

        await group.RestartSidecarsAsync();

        Assert.Equal(6, await Counter(app).Add(1));
    }

    [Fact]
    public async Task AppRestart_KeepsState_AndIsNotAskedAgain()
    {
        await using var group = await TestGroup.StartAsync();
        var app = await AddCountersAsync(group);
        await Counter(app).Add(5);
        await app.DisposeAsync();

        var again = await AddCountersAsync(group, port: app.Port);

        Assert.Equal(6, await Counter(again).Add(1));
        Assert.Equal(["asked /dapr/config", "asked /dapr/subscribe", "activate one", "activate one"], _log.Lines);
    }

    [Fact]
    public async Task Resiliency_TurnTimeout_EndsAStuckTurn()
    {
        await using var group = await TestGroup.StartAsync(static options =>
            options with { Resources = options.Resources with { Resiliency = new ResiliencyPolicies
        {
            Timeouts = new Dictionary<string, TimeSpan> { ["turn"] = TimeSpan.FromMilliseconds(200) },
            Actors = new Dictionary<string, TargetPolicyNames> { [nameof(CounterActor)] = new("turn", null) },
        } } });
        var app = await AddCountersAsync(group);

        var failure = await Assert.ThrowsAsync<DaprApiException>(() => Counter(app).Hold("gate").WaitAsync(Patience.Limit));

        Assert.Contains("timeout", failure.Message, StringComparison.Ordinal);
        _log.Open("gate");
        Assert.Equal(1, await Counter(app).Add(1));
    }

    [Fact]
    public async Task Resiliency_Retry_CallsAgainAfterAFailureOfTheApp()
    {
        await using var group = await TestGroup.StartAsync(static options =>
            options with { Resources = options.Resources with { Resiliency = new ResiliencyPolicies
        {
            Retries = new Dictionary<string,
                RetryPolicy> { ["brief"] = new() { Duration = TimeSpan.FromMilliseconds(100), MaximumRetries = 100 } },
            Actors = new Dictionary<string, TargetPolicyNames> { [nameof(CounterActor)] = new(null, "brief") },
        } } });
        var app = await AddCountersAsync(group);
        await Counter(app).Add(1);
        await app.DisposeAsync();
        var proxy = new Dapr.Actors.Client.ActorProxyFactory(new Dapr.Actors.Client.ActorProxyOptions { HttpEndpoint = app.SidecarEndpoint });

        var call = proxy.CreateActorProxy<ICounterActor>(new ActorId("one"), nameof(CounterActor)).Add(1);
        await AddCountersAsync(group, port: app.Port);

        Assert.Equal(2, await call.WaitAsync(Patience.Limit));
    }

    [Fact]
    public async Task LostSave_OnRequest_ReportsSuccessAndIsNotThere()
    {
        await using var group = await TestGroup.StartAsync();
        var app = await AddCountersAsync(group, idle: TimeSpan.FromMilliseconds(300));
        await Counter(app).Add(5);
        group.Host.Faults.LoseSaves(nameof(CounterActor));

        Assert.Equal(6, await Counter(app).Add(1));
        await Patience.UntilAsync(
            () => _log.Lines.Count(static line => line == "activate one") == _log.Lines.Count(static line => line == "deactivate one"), "deactivation");

        Assert.Equal(5, await Counter(app).Read());
    }
}
