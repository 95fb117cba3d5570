using Dapr.Client;
using Grpc.Core;
using StripeMeter.LocalDapr.Tests.Kit;

namespace StripeMeter.LocalDapr.Tests.Invocation;

public sealed class GrpcProxyTests
{
    private static async Task<TestGroup> StartAsync(AppProtocol protocol = AppProtocol.H2c, Func<LocalDaprOptions,
        LocalDaprOptions>? change = null)
    {
        var group = await TestGroup.StartAsync(
            options => (change ?? (static same =>
                same))(options with { Apps = [.. options.Apps.Select(app =>
                app with { AppProtocol = app.AppId == "echo" ? protocol : AppProtocol.H2c })] }),
            "echo", "caller");
        await group.AddAppAsync(
            static app =>
            {
                app.Services = EchoService.Register;
                app.Endpoints = EchoService.Map;
            },
            "echo");
        return group;
    }

    private static CallInvoker Echo(TestGroup group, string appId = "echo") =>
        DaprClient.CreateInvocationInvoker(appId, group.Host.Sidecars["caller"].GrpcEndpoint, group.Options.DaprApiToken);

    [Theory]
    [InlineData(AppProtocol.H2c)]
    [InlineData(AppProtocol.Grpc)]
    public async Task Unary_WithDeadline_PassesMessageDeadlineAndTrailers(AppProtocol protocol)
    {
        await using var group = await StartAsync(protocol);

        var deadline = TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(1);

        using var call = Echo(group).AsyncUnaryCall(EchoService.Unary, null, new CallOptions(deadline: deadline), "hello");

        Assert.Equal("hello, token none, with deadline, from caller", await call);
        Assert.Equal("here", call.GetTrailers().GetValue(EchoService.Trailer));
    }

    [Fact]
    public async Task Unary_AppFails_PassesItsStatus()
    {
        await using var group = await StartAsync();

        using var call = Echo(group).AsyncUnaryCall(EchoService.Unary, null, default, "fail");
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);

        Assert.Equal((StatusCode.FailedPrecondition, "as asked"), (failure.StatusCode, failure.Status.Detail));
    }

    [Fact]
    public async Task Unary_DeadlinePasses_EndsTheCall()
    {
        await using var group = await StartAsync();
        var deadline = TimeProvider.System.GetUtcNow().UtcDateTime.AddMilliseconds(200);

        using var call = Echo(group).AsyncUnaryCall(EchoService.Never, null, new CallOptions(deadline: deadline), "");
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync.WaitAsync(Patience.Limit));

        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
    }

    [Fact]
    public async Task ServerStreaming_PassesEveryMessage()
    {
        await using var group = await StartAsync();

        using var call = Echo(group).AsyncServerStreamingCall(EchoService.Down, null, default, "part");
        var parts = await call.ResponseStream.ReadAllAsync().ToListAsync();

        Assert.Equal(["part 0", "part 1", "part 2"], parts);
    }

    [Fact]
    public async Task ClientStreaming_PassesEveryMessage()
    {
        await using var group = await StartAsync();

        using var call = Echo(group).AsyncClientStreamingCall(EchoService.Up, null, default);
        foreach (var text in new[] { "a", "b", "c" })
            await call.RequestStream.WriteAsync(text);
        await call.RequestStream.CompleteAsync();

        Assert.Equal("a b c", await call);
    }

    [Fact]
    public async Task Duplex_EachAnswerComesBeforeTheNextQuestion()
    {
        await using var group = await StartAsync();
        using var call = Echo(group).AsyncDuplexStreamingCall(EchoService.Duplex, null, default);

        foreach (var text in new[] { "one", "two", "three" })
        {
            await call.RequestStream.WriteAsync(text);
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience.Limit));
            Assert.Equal($"echo {text}", call.ResponseStream.Current);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience.Limit));
    }

    [Fact]
    public async Task MessageOverTheLimit_IsRefused_AndAStreamOfManySmallOnesIsNot()
    {
        await using var group = await StartAsync();
        using var large = Echo(group)
            .AsyncUnaryCall(EchoService.Unary, null, default, new string('x', LocalDaprApp.DefaultMaximumBodyBytes + 1));
        var failure = await Assert.ThrowsAsync<RpcException>(() => large.ResponseAsync);
        Assert.Equal(StatusCode.ResourceExhausted, failure.StatusCode);

        using var stream = Echo(group).AsyncDuplexStreamingCall(EchoService.Duplex, null, default);
        var part = new string('y', LocalDaprApp.DefaultMaximumBodyBytes / 3);
        for (var number = 0; number < 5; number++)
        {
            await stream.RequestStream.WriteAsync(part);
            Assert.True(await stream.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience.Limit));
        }

        await stream.RequestStream.CompleteAsync();
    }

    [Fact]
    public async Task AppStops_IsUnavailable()
    {
        await using var group = await StartAsync();
        await group.StopAppAsync("echo");

        using var call = Echo(group).AsyncUnaryCall(EchoService.Unary, null, default, "hello");
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);

        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
    }

    [Fact]
    public async Task UnknownApp_IsUnavailable()
    {
        await using var group = await StartAsync();

        using var call = Echo(group, "nobody").AsyncUnaryCall(EchoService.Unary, null, default, "hello");
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);

        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
    }

    [Fact]
    public async Task AppWithHttpProtocol_IsRefusedClearly()
    {
        await using var group = await StartAsync(AppProtocol.Http);

        using var call = Echo(group).AsyncUnaryCall(EchoService.Unary, null, default, "hello");
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);

        Assert.Contains("use h2c or grpc", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tokens_OfTheCallerAreReplacedByTheApps()
    {
        await using var group = await StartAsync(change: static options =>
            options with { DaprApiToken = "sidecar-secret", AppApiToken = "app-secret" });

        using var call = Echo(group).AsyncUnaryCall(EchoService.Unary, null, default, "hello");

        Assert.Contains("token app-secret", await call, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CallWithoutToken_IsRefused()
    {
        await using var group = await StartAsync(change: static options => options with { DaprApiToken = "sidecar-secret" });

        using var call = DaprClient.CreateInvocationInvoker("echo", group.Host.Sidecars["caller"].GrpcEndpoint)
            .AsyncUnaryCall(EchoService.Unary, null, default, "hello");
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);

        Assert.Equal(StatusCode.Unauthenticated, failure.StatusCode);
    }

    [Fact]
    public async Task DaprMethodThatIsNotSupported_SaysSo()
    {
        await using var group = await StartAsync();
        using var client = group.Client("caller");

        var failure = await Assert.ThrowsAnyAsync<Exception>(() => client.SaveStateAsync("statestore", "key", "value"));

        Assert.Equal(StatusCode.Unimplemented, Assert.IsType<RpcException>(failure.InnerException).StatusCode);
    }
}
