using Dapr.Actors;
using Dapr.Actors.Runtime;
using Microsoft.Extensions.DependencyInjection;
using StripeMeter.LocalDapr.Tests.Kit;

namespace StripeMeter.LocalDapr.Tests.Actors;

public interface INestingActor : IActor
{
    Task Nest(int depth);
}

public sealed class NestingActor(ActorHost host, ActorLog log) : Actor(host), INestingActor
{
    public async Task Nest(int depth)
    {
        log.Write($"enter {depth}");
        if (depth > 1)
            await ProxyFactory.CreateActorProxy<INestingActor>(Id, nameof(NestingActor)).Nest(depth - 1);
        log.Write($"exit {depth}");
    }
}

public sealed class ReentrancyTests
{
    private readonly ActorLog _log = new();

    private async Task<INestingActor> AddAsync(TestGroup group, int maximumStackDepth)
    {
        var app = await group.AddAppAsync(app =>
        {
            app.Services = services => services.AddSingleton(_log);
            app.Actors = actors =>
            {
                actors.Actors.RegisterActor<NestingActor>();
                actors.ReentrancyConfig = new ActorReentrancyConfig { Enabled = true, MaxStackDepth = maximumStackDepth };
            };
        });
        return app.Proxies.CreateActorProxy<INestingActor>(new ActorId("one"), nameof(NestingActor));
    }

    [Fact]
    public async Task Call_OfItselfTenDeep_EntersBeforeAnyExit()
    {
        await using var group = await TestGroup.StartAsync();
        var actor = await AddAsync(group, maximumStackDepth: 32);

        await actor.Nest(10).WaitAsync(Patience.Limit);

        Assert.Equal(20, _log.Lines.Count);
        Assert.All(_log.Lines.Take(10), static line => Assert.StartsWith("enter", line, StringComparison.Ordinal));
        Assert.All(_log.Lines.Skip(10), static line => Assert.StartsWith("exit", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Call_DeeperThanAllowed_IsRefused()
    {
        await using var group = await TestGroup.StartAsync();
        var actor = await AddAsync(group, maximumStackDepth: 3);

        await Assert.ThrowsAnyAsync<Exception>(() => actor.Nest(10).WaitAsync(Patience.Limit));

        Assert.Equal(["enter 10", "enter 9", "enter 8"], _log.Lines);
    }
}
