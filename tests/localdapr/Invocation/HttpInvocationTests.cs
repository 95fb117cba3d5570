using System.Net;
using System.Net.Http.Json;
using System.Text;
using Dapr.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using StripeMeter.LocalDapr.Tests.Kit;

namespace StripeMeter.LocalDapr.Tests.Invocation;

public sealed class HttpInvocationTests
{
    private static async Task<TestGroup> StartAsync(Func<LocalDaprOptions, LocalDaprOptions>? change = null,
        AppProtocol protocol = AppProtocol.H2c)
    {
        var group = await TestGroup.StartAsync(
            options => (change ?? (static same =>
                same))(options with { Apps = [.. options.Apps.Select(app => app with { AppProtocol = protocol })] }), "callee", "caller");
        await group.AddAppAsync(
            static app => app.Endpoints = static endpoints =>
            {
                endpoints.MapPost("/double", (int number) => Results.Json(number * 2));
                endpoints.MapPost("/echo", async (HttpRequest request) =>
                    Results.Text($"{request.QueryString} {await new StreamReader(request.Body).ReadToEndAsync()}"));
                endpoints.MapGet("/guarded", (HttpRequest request) => request.Headers["dapr-api-token"] == "app-secret"
                    ? Results.Ok("in") : Results.Unauthorized());
                endpoints.MapGet("/path/{part}/end", (string part) => Results.Text(part));
                endpoints.MapGet("/never", async (CancellationToken cancellation) =>
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellation));
                endpoints.MapDelete("/gone", () => Results.NoContent());
            },
            "callee");
        return group;
    }

    private static HttpClient Sidecar(TestGroup group) => new() { BaseAddress = new Uri(group.Host.Sidecars["caller"].HttpEndpoint) };

    [Theory]
    [InlineData(AppProtocol.Http)]
    [InlineData(AppProtocol.H2c)]
    public async Task SdkInvocation_RoundTrip_PassesBothBodies(AppProtocol protocol)
    {
        await using var group = await StartAsync(protocol: protocol);
        using var http = DaprClient.CreateInvokeHttpClient("callee", group.Host.Sidecars["caller"].HttpEndpoint);

        using var answer = await http.PostAsync(new Uri("/echo?a=1&b=%20", UriKind.Relative), new StringContent("hello"));

        Assert.Equal("?a=1&b=%20 hello", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Invocation_ByHeader_ReachesTheApp()
    {
        await using var group = await StartAsync();
        using var http = Sidecar(group);
        using var request = new HttpRequestMessage(HttpMethod.Delete, "/gone") { Headers = { { "dapr-app-id", "callee" } } };

        using var answer = await http.SendAsync(request);

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    [Fact]
    public async Task Invocation_ByBasicAuth_ReachesTheApp()
    {
        await using var group = await StartAsync();
        using var http = Sidecar(group);
        using var request = new HttpRequestMessage(HttpMethod.Delete, "/gone");
        request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes("dapr-app-id:callee")));

        using var answer = await http.SendAsync(request);

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    [Fact]
    public async Task Invocation_EscapedPath_ReachesTheAppAsItWas()
    {
        await using var group = await StartAsync();
        using var http = Sidecar(group);

        Assert.Equal("a b", await http.GetStringAsync(new Uri("/v1.0/invoke/callee/method/path/a%20b/end", UriKind.Relative)));
    }

    [Fact]
    public async Task Invocation_AppDemandsItsToken_TheSidecarAddsIt()
    {
        await using var group = await StartAsync(static options =>
            options with { AppApiToken = "app-secret", DaprApiToken = "sidecar-secret" });
        using var http = Sidecar(group);
        http.DefaultRequestHeaders.Add("dapr-api-token", "sidecar-secret");

        Assert.Equal("in", await http.GetFromJsonAsync<string>("/v1.0/invoke/callee/method/guarded"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("wrong")]
    public async Task Invocation_WithoutTheApiToken_IsRefused(string? token)
    {
        await using var group = await StartAsync(static options => options with { DaprApiToken = "sidecar-secret" });
        using var http = Sidecar(group);
        if (token is not null)
            http.DefaultRequestHeaders.Add("dapr-api-token", token);

        using var answer = await http.GetAsync(new Uri("/v1.0/invoke/callee/method/guarded", UriKind.Relative));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task Invocation_UnknownApp_IsAnError()
    {
        await using var group = await StartAsync();
        using var http = Sidecar(group);

        using var answer = await http.GetAsync(new Uri("/v1.0/invoke/nobody/method/x", UriKind.Relative));

        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Contains("ERR_DIRECT_INVOKE", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Invocation_ClientTimesOut_EndsTheCall()
    {
        await using var group = await StartAsync();
        using var http = Sidecar(group);
        http.Timeout = TimeSpan.FromMilliseconds(200);

        await Assert.ThrowsAsync<TaskCanceledException>(() => http.GetAsync(new Uri("/v1.0/invoke/callee/method/never", UriKind.Relative)));
    }

    [Fact]
    public async Task Invocation_BodyOverTheLimit_IsRefused()
    {
        await using var group = await StartAsync();
        using var http = Sidecar(group);

        using var answer = await http.PostAsync(new Uri("/v1.0/invoke/callee/method/echo", UriKind.Relative),
            new ByteArrayContent(new byte[LocalDaprApp.DefaultMaximumBodyBytes + 1]));

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
    }
}
