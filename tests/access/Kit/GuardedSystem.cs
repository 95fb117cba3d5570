using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Grpc.Net.Client;
using StripeMeter.Cli.Commands;
using StripeMeter.Kits.Waiting;
using StripeMeter.Local;
using Xunit;

namespace StripeMeter.Access.Tests.Kit;

/// <summary>The whole system in this process, with authentication. Keys are made as an operator makes the first one.</summary>
public class GuardedSystem : IAsyncLifetime
{
    public const string Salt = "a secret of these tests, and of nothing else";
    private readonly string _folder = Directory.CreateTempSubdirectory("stripemeter-access-").FullName;
    private readonly Dictionary<string, GrpcChannel> _channels = [];
    private LocalSystem? _system;

    public Uri Rest => _system!.Rest;

    /// <summary>The double of Stripe.</summary>
    public Uri Stripe => _system!.Stripe;

    /// <summary>The sidecar of applications that publish usage.</summary>
    public Uri Publisher => new(_system!.Publisher.HttpEndpoint);

    public HttpClient Http { get; private set; } = null!;

    /// <summary>A key of acme, which may do all that is acme's.</summary>
    public string Acme { get; private set; } = "";

    /// <summary>A key of another tenant, which has data of every kind.</summary>
    public string Beta { get; private set; } = "";

    /// <summary>A key that manages organisations.</summary>
    public string Operator { get; private set; } = "";

    protected virtual IEnumerable<KeyValuePair<string, string?>> Settings => [];

    public async ValueTask InitializeAsync()
    {
        var options = new LocalOptions { DataDirectory = _folder, ApiPort = 0, IngestPort = 0, StripeDoublePort = 0, KeySalt = Salt };
        var settings = new Dictionary<string, string?>
        {
            ["LOG_LEVEL"] = "critical", ["CATCH_UP_INTERVAL_MS"] = "200", ["API_ADDRESS_FAILURES"] = "100000",
        };
        foreach (var (name, value) in Settings)
            settings[name] = value;
        _system = await LocalSystem.StartAsync(options, settings, CancellationToken.None);
        Http = new HttpClient { BaseAddress = _system.Rest };
        Acme = await MakeKeyAsync("acme");
        Beta = await MakeKeyAsync("beta");
        Operator = await MakeKeyAsync("operations", "--scope", "operator:write", "--scope", "project:read");
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        foreach (var channel in _channels.Values)
            channel.Dispose();
        await _system!.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    public GrpcChannel Grpc(string app)
    {
        if (!_channels.TryGetValue(app, out var channel))
            _channels[app] = channel = GrpcChannel.ForAddress(_system!.Grpc[app]);
        return channel;
    }

    public Uri GrpcAddress(string app) => _system!.Grpc[app];

    /// <summary>What a service answers to a delivery that says it is gRPC, and brings no token.</summary>
    public async Task<HttpStatusCode> PoseAsGrpcAsync(HttpMethod method, string app, string path, string body)
    {
        using var http = new HttpClient(new SocketsHttpHandler());
        using var request = new HttpRequestMessage(method, new Uri(GrpcAddress(app), path))
        {
            Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new StringContent(body),
        };
        request.Content.Headers.ContentType = new("application/grpc");
        using var answer = await http.SendAsync(request);
        return answer.StatusCode;
    }

    public IEnumerable<string> Apps => _system!.Grpc.Keys;

    public async Task<string> MakeKeyAsync(string tenant, params string[] more)
    {
        var made = await CommandAsync(["keys", "create", "--tenant", tenant, .. more]);
        Assert.Equal(0, made.Code);
        return made.Out.Trim();
    }

    /// <summary>Runs the command line on the system's data.</summary>
    public async Task<(int Code, string Out, string Error)> CommandAsync(params string[] line)
    {
        using var written = new StringWriter();
        using var error = new StringWriter();
        var host = new CliHost
        {
            In = Stream.Null, Out = written, Error = error,
            Variable = name => name switch { "DATA_DIRECTORY" => _folder, "API_KEY_SALT" => Salt, _ => null },
        };
        return (await StripeMeterCommand.RunAsync([.. line, "--url", Rest.ToString()], host), written.ToString(), error.ToString());
    }

    public Task<RestAnswer> GetAsync(string? key, string address) => SendAsync(key, HttpMethod.Get, address);

    public Task<RestAnswer> PostAsync(string? key, string address, JsonNode body) => SendAsync(key, HttpMethod.Post, address, body);

    public async Task<RestAnswer> SendAsync(
        string? key, HttpMethod method, string address, JsonNode? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, new Uri(address, UriKind.Relative));
        if (key is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        if (body is not null)
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        var all = response.Headers.Concat(response.Content.Headers)
            .ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase);
        return new RestAnswer(response.StatusCode, text, all);
    }

    public static JsonObject Event(string? tenant, string key, string quantity = "1", string customer = "cus_1")
    {
        var usage = new JsonObject
        {
            ["metric"] = "calls", ["customerRef"] = customer, ["quantity"] = quantity, ["idempotencyKey"] = key,
            ["ts"] = TimeProvider.System.GetUtcNow().ToString("O"),
        };
        if (tenant is not null)
            usage["tenantId"] = tenant;
        return new JsonObject { ["events"] = new JsonArray(usage) };
    }

    /// <summary>Waits until what a key's tenant sent is counted.</summary>
    public Task UntilCountedAsync(string key) => Patience.UntilAsync(async () =>
        (await GetAsync(key, "/v1/counters/progress")).Json["shards"]!.AsArray()
            .All(shard => (long)shard!["projected"]! == (long)shard["head"]!));
}

/// <summary>An answer of the REST API.</summary>
public sealed record RestAnswer(HttpStatusCode Status, string Text, IReadOnlyDictionary<string, string> Headers)
{
    public int Code => (int)Status;

    public JsonNode Json => JsonNode.Parse(Text)!;
}
