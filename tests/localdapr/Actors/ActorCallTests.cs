using Dapr.Actors;
using Microsoft.Extensions.DependencyInjection;
using StripeMeter.LocalDapr.Tests.Kit;

namespace StripeMeter.LocalDapr.Tests.Actors;

public sealed class ActorCallTests
{
    private readonly ActorLog _log = new();

    private Task<TestApp> AddCountersAsync(TestGroup group, TimeSpan? idle = null) => group.AddAppAsync(app =>
    {
        app.Services = services => services.AddSingleton(_log);
        app.Actors = actors =>
        {
            actors.Actors.RegisterActor<CounterActor>();
            if (idle is { } timeout)
                actors.ActorIdleTimeout = timeout;
        };
    });

    private static ICounterActor Counter(TestApp app, string id = "one") => app.Proxies.CreateActorProxy<ICounterActor>(new ActorId(id), nameof(CounterActor));

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
}
