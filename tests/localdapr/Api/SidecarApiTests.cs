using System.Net;
using System.Text.Json;
using Dapr.Actors;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using StripeMeter.LocalDapr.Tests.Actors;
using StripeMeter.LocalDapr.Tests.Kit;
using StripeMeter.LocalDapr.Tests.PubSub;

namespace StripeMeter.LocalDapr.Tests.Api;

public sealed class SidecarApiTests
{
    private static HttpClient Http(TestGroup group) => new() { BaseAddress = new Uri(group.Host.Sidecars["app"].HttpEndpoint) };

    private static Task<TestApp> AddAsync(TestGroup group) => group.AddAppAsync(static app =>
    {
        app.Services = static services => services.AddSingleton<ActorLog>();
        app.Actors = static actors => actors.Actors.RegisterActor<CounterActor>();
        app.Endpoints = static endpoints =>
            Inbox.MapSubscribe(endpoints,
            new { pubsubname = TestGroup.PubSub, topic = "lasting", route = "/events", deadLetterTopic = "dead" });
    });

    private static async Task<HttpStatusCode> StatusAsync(HttpClient http, string path)
    {
        using var answer = await http.GetAsync(new Uri(path, UriKind.Relative));
        return answer.StatusCode;
    }

    [Fact]
    public async Task Health_BeforeAndAfterTheAppListens_SaysWhetherItIsServed()
    {
        await using var group = await TestGroup.StartAsync(static options => options with { DaprApiToken = "secret" });
        using var http = Http(group);

        Assert.Equal(HttpStatusCode.InternalServerError, await StatusAsync(http, "/v1.0/healthz"));
        Assert.Equal(HttpStatusCode.NoContent, await StatusAsync(http, "/v1.0/healthz/outbound"));
        await AddAsync(group);

        Assert.Equal(HttpStatusCode.NoContent, await StatusAsync(http, "/v1.0/healthz"));
        using var client = group.Client();
        Assert.True(await client.CheckHealthAsync());
        await client.WaitForSidecarAsync();
    }

    [Fact]
    public async Task Metadata_ByHttpAndGrpc_DescribesTheSidecar()
    {
        await using var group = await TestGroup.StartAsync();
        var app = await AddAsync(group);
        await app.Proxies.CreateActorProxy<ICounterActor>(new ActorId("one"), nameof(CounterActor)).Read();
        using var client = group.Client();
        using var http = Http(group);
        await client.SetMetadataAsync("color", "green");

        var described = await client.GetMetadataAsync();
        using var document = JsonDocument.Parse(await http.GetStringAsync(new Uri("/v1.0/metadata", UriKind.Relative)));
        var root = document.RootElement;

        Assert.Equal(("app", "green"), (described.Id, described.Extended["color"]));
        Assert.Equal(1, Assert.Single(described.Actors).Count);
        Assert.Equal("green", root.GetProperty("extended").GetProperty("color").GetString());
        Assert.Equal("""[{"type":"CounterActor","count":1}]""", root.GetProperty("actorRuntime").GetProperty("activeActors").GetRawText());
        var subscription = root.GetProperty("subscriptions")[0];
        Assert.Equal(("lasting", "dead", "/events"),
            (subscription.GetProperty("topic").GetString(), subscription.GetProperty("deadLetterTopic").GetString(),
            subscription.GetProperty("rules")[0].GetProperty("path").GetString()));
        Assert.Equal(app.Port, root.GetProperty("appConnectionProperties").GetProperty("port").GetInt32());
    }

    [Fact]
    public async Task Shutdown_TellsTheHost()
    {
        await using var group = await TestGroup.StartAsync();
        var asked = new TaskCompletionSource();
        group.Host.Sidecars["app"].ShutdownRequested += asked.SetResult;
        using var client = group.Client();

        await client.ShutdownSidecarAsync();

        await asked.Task.WaitAsync(Patience.Limit);
    }

    [Fact]
    public async Task Publish_OverTheBodyLimit_IsRefused()
    {
        await using var group = await TestGroup.StartAsync();
        using var client = group.Client();

        var failure = await Assert.ThrowsAnyAsync<Exception>(() =>
            client.PublishByteEventAsync(TestGroup.PubSub, "lasting", new byte[LocalDaprApp.DefaultMaximumBodyBytes + 1],
            "application/octet-stream"));

        Assert.Equal(StatusCode.ResourceExhausted, Assert.IsType<RpcException>(failure.InnerException).StatusCode);
    }

    [Fact]
    public async Task UnknownPath_IsRefusedByName()
    {
        await using var group = await TestGroup.StartAsync();
        using var http = Http(group);

        using var answer = await http.GetAsync(new Uri("/v1.0/state/statestore/key", UriKind.Relative));

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Contains("localdapr does not support GET /v1.0/state/statestore/key", await answer.Content.ReadAsStringAsync(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task AppWithRoutingRules_IsRefused_AndTheSidecarSaysWhy()
    {
        await using var group = await TestGroup.StartAsync();

        var failure = await Assert.ThrowsAsync<LocalDaprConfigurationException>(() =>
            group.AddAppAsync(static app => app.Endpoints = static endpoints =>
            Inbox.MapSubscribe(endpoints,
                new { pubsubname = TestGroup.PubSub, topic = "lasting",
                routes = new { rules = new object[] { new { match = "true", path = "/x" } }, @default = "/y" } })));

        Assert.Contains("routing rules", failure.Message, StringComparison.Ordinal);
    }
}
