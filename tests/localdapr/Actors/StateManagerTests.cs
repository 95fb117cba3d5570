using System.Text.Json;
using Dapr.Actors;
using Dapr.Actors.Client;
using StripeMeter.LocalDapr.Resources;
using StripeMeter.LocalDapr.Tests.Kit;

namespace StripeMeter.LocalDapr.Tests.Actors;

public sealed class StateManagerTests
{
    private static Task<TestApp> AddAsync(TestGroup group, bool json = false) => group.AddAppAsync(app =>
    {
        app.UseJsonSerialization = json;
        app.Actors = static actors => actors.Actors.RegisterActor<StateActor>();
    });

    private static IStateActor Proxy(TestApp app, string id = "one", bool json = false) =>
        app.Proxies.CreateActorProxy<IStateActor>(new ActorId(id), nameof(StateActor), json
            ? new ActorProxyOptions { UseJsonSerialization = true, HttpEndpoint = app.SidecarEndpoint } : null);

    [Fact]
    public async Task StateManager_EveryOperation_SaysWhatItShould()
    {
        await using var group = await TestGroup.StartAsync();
        var app = await AddAsync(group);

        Assert.Equal("True False True False 3 3! True False False", await Proxy(app).Exercise());
        Assert.Equal("3!", await Proxy(app).Get("b"));
    }

    [Fact]
    public async Task State_TwoProxies_SeeTheSame()
    {
        await using var group = await TestGroup.StartAsync();
        var app = await AddAsync(group);

        await Proxy(app).Set("key", "first");
        await Proxy(app).Set("key", "second");

        Assert.Equal("second", await Proxy(app).Get("key"));
        Assert.Null(await Proxy(app).Get("absent"));
        Assert.Null(await Proxy(app, "two").Get("key"));
    }

    [Fact]
    public async Task JsonSerialization_ValuesAndExtensionData_ComeBackUnchanged()
    {
        await using var group = await TestGroup.StartAsync();
        var app = await AddAsync(group, json: true);
        var sent = new Envelope("ä", 9007199254740993) { More = new Dictionary<string,
            JsonElement> { ["extra"] = JsonSerializer.Deserialize<JsonElement>("[1,2]") } };

        var back = await Proxy(app, json: true).Echo(sent);

        Assert.Equal((sent.Name, sent.Number), (back.Name, back.Number));
        Assert.Equal("[1,2]", back.More!["extra"].GetRawText());
    }

    [Fact]
    public async Task WeaklyTypedCall_NullAnswer_IsNull()
    {
        await using var group = await TestGroup.StartAsync();
        var app = await AddAsync(group);

        Assert.Null(await app.Proxies.Create(new ActorId("one"), nameof(StateActor))
            .InvokeMethodAsync<string?>(nameof(IStateActor.Nothing)));
    }

    [Fact]
    public async Task StateWithoutActorStateStore_IsRefused()
    {
        await using var group = await TestGroup.StartAsync(static options => options with { Resources = new ResourceSet() });
        var app = await AddAsync(group);

        var failure = await Assert.ThrowsAnyAsync<Exception>(() => Proxy(app).Set("key", "value"));

        Assert.Contains("actorStateStore", failure.ToString(), StringComparison.Ordinal);
    }
}
