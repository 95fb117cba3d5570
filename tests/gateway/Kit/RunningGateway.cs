using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using StripeMeter.Defaults.Hosting;
using Xunit;

namespace StripeMeter.Gateway.Tests.Kit;

/// <summary>The real gateway on free ports, in front of a <see cref="Kit.Backend"/>.</summary>
public sealed class RunningGateway : IAsyncLifetime
{
    private WebApplication? _app;

    public Backend Backend { get; private set; } = null!;

    public HttpClient Http { get; private set; } = null!;

    public IDictionary<string, string?> Settings { get; } = new Dictionary<string, string?>
    {
        ["API_HOST"] = "127.0.0.1",
        ["API_PORT"] = "0",
        ["APP_PORT"] = "0",
        ["LOG_LEVEL"] = "critical",
        ["BYPASS_AUTH"] = "1",
    };

    public WebApplication App => _app!;

    public async ValueTask InitializeAsync()
    {
        Backend = await Backend.StartAsync();
        Settings["DAPR_GRPC_ENDPOINT"] = Backend.GrpcEndpoint;
        Settings["DAPR_HTTP_ENDPOINT"] = Backend.HttpEndpoint;
        _app = GatewayApp.Build([], Settings);
        await _app.StartAsync();
        Http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{_app.ProbePort()}") };
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app!.DisposeAsync();
        await Backend.DisposeAsync();
    }

    public Task<Answer> GetAsync(string path) => SendAsync(new HttpRequestMessage(HttpMethod.Get, path));

    public Task<Answer> PostAsync(string path, string json, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, path, Encoding.UTF8.GetBytes(json), "application/json", headers);

    public Task<Answer> PutAsync(string path, string json) =>
        SendAsync(HttpMethod.Put, path, Encoding.UTF8.GetBytes(json), "application/json");

    public Task<Answer> SendAsync(
        HttpMethod method, string path, byte[] body, string? contentType, params (string Name, string Value)[] headers)
    {
        var content = new ByteArrayContent(body);
        if (contentType is not null)
            content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        var request = new HttpRequestMessage(method, path) { Content = content };
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return SendAsync(request);
    }

    public async Task<Answer> SendAsync(HttpRequestMessage request)
    {
        using (request)
        using (var response = await Http.SendAsync(request))
        {
            var text = await response.Content.ReadAsStringAsync();
            var headers = response.Headers.Concat(response.Content.Headers)
                .ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase);
            return new Answer(response.StatusCode, text, headers);
        }
    }
}

/// <summary>An answer of the gateway.</summary>
public sealed record Answer(HttpStatusCode Status, string Text, IReadOnlyDictionary<string, string> Headers)
{
    public JsonElement Json => JsonDocument.Parse(Text).RootElement;

    /// <summary>Checks that it is a problem document with all members RFC 9457 names, and those older clients read, and returns it.</summary>
    public JsonElement Problem(int status)
    {
        Assert.Equal(status, (int)Status);
        Assert.Equal("application/problem+json", Headers["Content-Type"]);
        var problem = Json;
        foreach (var member in (string[])["type", "title", "detail", "instance", "requestId", "error", "message"])
            Assert.False(string.IsNullOrEmpty(problem.GetProperty(member).GetString()), $"{member} is missing: {Text}");
        Assert.Equal(status, problem.GetProperty("status").GetInt32());
        return problem;
    }
}
