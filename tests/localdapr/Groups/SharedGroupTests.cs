using Dapr.Actors;
using Dapr.Client;
using Microsoft.Extensions.DependencyInjection;
using StripeMeter.LocalDapr.Tests.Actors;
using StripeMeter.LocalDapr.Tests.Invocation;
using StripeMeter.LocalDapr.Tests.Kit;
using StripeMeter.LocalDapr.Tests.PubSub;

namespace StripeMeter.LocalDapr.Tests.Groups;

/// <summary>Sidecars that know of each other only through the data file, as in processes of their own.</summary>
public sealed class SharedGroupTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("localdapr-tests-").FullName;
    private readonly ActorLog _log = new();
    private readonly Inbox _inbox = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private Task<TestGroup> StartAsync(string appId, string? token = null) => TestGroup.StartAsync(
        options => options with { DataFile = Path.Combine(_folder, "shared.db"), Shared = true, DaprApiToken = token,
            Resources = Policies.WithInboundRetry(options.Resources, -1) }, appId);

    private Task<TestApp> AddHostAsync(TestGroup group, string appId, string topic = "lasting") => group.AddAppAsync(
        app =>
        {
            app.Services = services =>
            {
                services.AddSingleton(_log);
                EchoService.Register(services);
            };
            app.Actors = static actors => actors.Actors.RegisterActor<CounterActor>();
            app.Endpoints = endpoints =>
            {
                EchoService.Map(endpoints);
                Inbox.MapSubscribe(endpoints,
                    new { pubsubname = TestGroup.PubSub, topic, route = "/events",
                    bulkSubscribe = new { enabled = true, maxAwaitDurationMs = 10 } });
                _inbox.MapBulk(endpoints, "/events");
            };
        },
        appId);

    private static Task<TestApp> AddCallerAsync(TestGroup group) => group.AddAppAsync(static app => app.Actors = static _ => { }, "caller");

    [Theory]
    [InlineData(null)]
    [InlineData("secret")]
    public async Task ActorCall_CrossesProcesses(string? token)
    {
        await using var hosting = await StartAsync("host", token);
        await using var calling = await StartAsync("caller", token);
        await AddHostAsync(hosting, "host");
        var caller = await AddCallerAsync(calling);

        var counter = caller.Proxies.CreateActorProxy<ICounterActor>(new ActorId("one"), nameof(CounterActor));

        Assert.Equal(4, await counter.Add(4));
        var failure = await Assert.ThrowsAsync<ActorMethodInvocationException>(() => counter.AddAndThrow(1));
        Assert.Contains("InvalidOperationException", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ActorCall_HostStartsLater_WaitsForIt()
    {
        await using var calling = await StartAsync("caller");
        var caller = await AddCallerAsync(calling);
        var call = caller.Proxies.CreateActorProxy<ICounterActor>(new ActorId("one"), nameof(CounterActor)).Add(1);

        await using var hosting = await StartAsync("host");
        await AddHostAsync(hosting, "host");

        Assert.Equal(1, await call.WaitAsync(Patience.Limit));
    }

    [Fact]
    public async Task ActorCall_HostIsReplaced_GoesToTheNewOne()
    {
        await using var calling = await StartAsync("caller");
        var caller = await AddCallerAsync(calling);
        var counter = caller.Proxies.CreateActorProxy<ICounterActor>(new ActorId("one"), nameof(CounterActor));
        await using (var first = await StartAsync("host"))
        {
            await AddHostAsync(first, "host");
            Assert.Equal(1, await counter.Add(1));
        }

        await using var second = await StartAsync("host");
        await AddHostAsync(second, "host");

        Assert.Equal(2, await counter.Add(1).WaitAsync(Patience.Limit));
    }

    [Fact]
    public async Task GrpcCall_CrossesProcesses()
    {
        await using var hosting = await StartAsync("host", "secret");
        await using var calling = await StartAsync("caller", "secret");
        await AddHostAsync(hosting, "host");
        await AddCallerAsync(calling);
        await Patience.UntilAsync(() => calling.Host.Sidecars["caller"].Inner.Group.Peers.Others.Count == 1, "the peer");
        var echo = DaprClient.CreateInvocationInvoker("host", calling.Host.Sidecars["caller"].GrpcEndpoint, "secret");

        using var unary = echo.AsyncUnaryCall(EchoService.Unary, null, default, "hello");
        Assert.StartsWith("hello, token none", await unary, StringComparison.Ordinal);

        using var duplex = echo.AsyncDuplexStreamingCall(EchoService.Duplex, null, default);
        await duplex.RequestStream.WriteAsync("one");
        Assert.True(await duplex.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience.Limit));
        await duplex.RequestStream.CompleteAsync();
        Assert.Equal("echo one", duplex.ResponseStream.Current);
    }

    [Fact]
    public async Task HttpCall_CrossesProcesses()
    {
        await using var hosting = await StartAsync("host");
        await using var calling = await StartAsync("caller");
        await AddHostAsync(hosting, "host");
        await AddCallerAsync(calling);
        await Patience.UntilAsync(() => calling.Host.Sidecars["caller"].Inner.Group.Peers.Others.Count == 1, "the peer");
        using var http = DaprClient.CreateInvokeHttpClient("host", calling.Host.Sidecars["caller"].HttpEndpoint);

        Assert.Contains("CounterActor", await http.GetStringAsync(new Uri("/dapr/config", UriKind.Relative)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lasting")]
    [InlineData("fleeting")]
    public async Task Events_CrossProcesses(string topic)
    {
        await using var hosting = await StartAsync("host");
        await using var calling = await StartAsync("caller");
        await AddHostAsync(hosting, "host", topic);
        await AddCallerAsync(calling);
        await Patience.UntilAsync(() => calling.Host.Sidecars["caller"]
            .Inner.Group.Peers.Others.Any(peer => topic == "lasting" || peer.MemoryTopics.Count == 1), "the peer");
        using var client = calling.Client("caller");

        await client.BulkPublishEventAsync(TestGroup.PubSub, topic, ["a"u8.ToArray(), "b"u8.ToArray()]);

        await Patience.UntilAsync(() => _inbox.Received.Count == 2, "the events");
        Assert.Equal(["a", "b"], _inbox.Texts);
        Assert.Equal("caller", _inbox.Received[0].Event.GetProperty("source").GetString());
    }

    [Fact]
    public async Task TwoSidecarsOfOneApp_EachEventIsDeliveredOnce_AndTheOtherTakesOver()
    {
        await using var calling = await StartAsync("caller");
        await AddCallerAsync(calling);
        using var client = calling.Client("caller");
        await using var second = await StartAsync("host");
        await using (var first = await StartAsync("host"))
        {
            await AddHostAsync(first, "host");
            await AddHostAsync(second, "host");
            await Patience.UntilAsync(() => first.Host.Sidecars["host"].Inner.Group.Peers.Others.Count == 2
                && second.Host.Sidecars["host"].Inner.Group.Peers.Others.Count == 2, "the peers");
            await client.PublishByteEventAsync(TestGroup.PubSub, "lasting", "before"u8.ToArray(), "application/octet-stream");
            await Patience.UntilAsync(() => _inbox.Texts.Contains("before"), "the event");
        }

        await client.PublishByteEventAsync(TestGroup.PubSub, "lasting", "after"u8.ToArray(), "application/octet-stream");
        await Patience.UntilAsync(() => _inbox.Texts.Contains("after"), "the event");

        Assert.Equal(["before", "after"], _inbox.Texts);
    }

    [Fact]
    public async Task TwoHostsOfOneType_EachActorLivesInOnePlace()
    {
        await using var first = await StartAsync("host");
        await using var second = await StartAsync("other");
        var one = await AddHostAsync(first, "host");
        var two = await AddHostAsync(second, "other", "fleeting");
        await Patience.UntilAsync(() => first.Host.Sidecars["host"]
            .Inner.Group.Peers.Others.Any(static peer => peer.ActorTypes.Count == 1), "the peer");
        await Patience.UntilAsync(() => second.Host.Sidecars["other"]
            .Inner.Group.Peers.Others.Any(static peer => peer.ActorTypes.Count == 1), "the peer");

        for (var number = 0; number < 20; number++)
        {
            var id = new ActorId($"actor-{number}");
            Assert.Equal(1, await one.Proxies.CreateActorProxy<ICounterActor>(id, nameof(CounterActor)).Add(1));
            Assert.Equal(2, await two.Proxies.CreateActorProxy<ICounterActor>(id, nameof(CounterActor)).Add(1));
        }

        var here = first.Host.Sidecars["host"].Inner.Actors.Table.CountByType().Values.Sum();
        Assert.InRange(here, 1, 19);
        Assert.Equal(20, here + second.Host.Sidecars["other"].Inner.Actors.Table.CountByType().Values.Sum());
    }

    [Fact]
    public async Task PeerCall_WithAWrongSecret_IsRefused()
    {
        await using var hosting = await StartAsync("host", "secret");
        await AddHostAsync(hosting, "host");
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Add("localdapr-peer-token", "guess");

        using var answer = await http.GetAsync(new Uri($"{hosting.Host.Sidecars["host"].HttpEndpoint}/v1.0/metadata"));

        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, answer.StatusCode);
    }
}
