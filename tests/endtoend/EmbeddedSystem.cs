using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Grpc.Net.Client;
using Stripe;
using StripeMeter.Local;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>The whole system in this process, on free ports, with data of its own.</summary>
public sealed class EmbeddedSystem : IAsyncDisposable
{
    /// <summary>A metric whose events are in time however old they are.</summary>
    public const string NeverLate = "never_late";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);
    private bool _ownsData;
    private readonly LocalSystem _system;

    private EmbeddedSystem(LocalSystem system, bool ownsData)
    {
        (_system, _ownsData) = (system, ownsData);
        Rest = new HttpClient { BaseAddress = system.Rest };
        Ingest = GrpcChannel.ForAddress(system.Ingest);
        Stripe = new StripeClient(new StripeClientOptions { ApiKey = "sk_test_double", ApiBase = system.Stripe.ToString().TrimEnd('/') });
    }

    public HttpClient Rest { get; }

    public GrpcChannel Ingest { get; }

    public StripeClient Stripe { get; }

    /// <summary>The HTTP API of a sidecar of the system.</summary>
    public Uri Sidecar => _system.Sidecar;

    /// <summary>gRPC of every service, by app id.</summary>
    public IReadOnlyDictionary<string, Uri> Grpc => _system.Grpc;

    /// <summary>gRPC of ingest.</summary>
    public Uri IngestAddress => _system.Ingest;

    /// <summary>The sidecar of publishers.</summary>
    public LocalDapr.LocalDaprSidecar Publisher => _system.Publisher;

    /// <summary>Address of the double.</summary>
    public string StripeBase => _system.Stripe.ToString().TrimEnd('/');

    public string DataDirectory => _system.DataDirectory;

    /// <param name="dataDirectory">Data of an earlier system; null starts with none.</param>
    /// <param name="settings">Settings that differ from those below.</param>
    public static async Task<EmbeddedSystem> StartAsync(string? dataDirectory = null, Dictionary<string, string?>? settings = null)
    {
        var options = new LocalOptions
        {
            DataDirectory = dataDirectory ?? Directory.CreateTempSubdirectory("stripemeter-test-").FullName,
            ApiPort = 0, IngestPort = 0, StripeDoublePort = 0,
        };
        var all = new Dictionary<string, string?>
        {
            ["LOG_LEVEL"] = "Warning",
            ["LATE_EVENT_WINDOWS"] = $"{NeverLate}=0",
            ["STRIPE_WRITER_INTERVAL_MS"] = "200",
            ["CATCH_UP_INTERVAL_MS"] = "200",
            ["CATCH_UP_PATIENCE_MS"] = "500",
        };
        foreach (var (name, value) in settings ?? [])
            all[name] = value;
        return new EmbeddedSystem(
            await LocalSystem.StartAsync(options, all, CancellationToken.None), ownsData: dataDirectory is null);
    }

    /// <summary>Stops the system and starts it again on the same data.</summary>
    public async Task<EmbeddedSystem> RestartAsync()
    {
        await StopAsync();
        var system = await StartAsync(DataDirectory);
        system._ownsData = _ownsData;
        return system;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (_ownsData)
            Directory.Delete(DataDirectory, recursive: true);
    }

    public async Task<JsonNode> GetAsync(string address)
    {
        using var response = await Rest.GetAsync(new Uri(address, UriKind.Relative));
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{address} answered {(int)response.StatusCode}: {text}");
        return JsonNode.Parse(text)!;
    }

    public async Task<JsonNode> IngestAsync(params object[] events)
    {
        using var response = await Rest.PostAsJsonAsync("/v1/events/ingest", new { events }, JsonSerializerOptions.Web);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
    }

    /// <summary>Waits until all that was appended for a tenant is counted.</summary>
    public Task UntilCountedAsync(string tenant) => UntilAsync(
        async () => (await GetAsync($"/v1/counters/progress?tenantId={Uri.EscapeDataString(tenant)}"))["shards"]!.AsArray()
            .All(shard => (long)shard!["projected"]! == (long)shard["head"]!),
        "all that was appended is counted");

    /// <summary>The current value of a metric as JSON text; null if there is none.</summary>
    public async Task<string?> CurrentAsync(string tenant, string customer, string metric)
    {
        var usage = await GetAsync(
            $"/v1/usage/current?tenantId={Uri.EscapeDataString(tenant)}&customerRef={Uri.EscapeDataString(customer)}");
        return usage["metrics"]!.AsArray().SingleOrDefault(item => (string)item!["name"]! == metric)?["current"]!.ToJsonString();
    }

    public static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        using var limit = new CancellationTokenSource(Patience);
        using var timer = new PeriodicTimer(Poll);
        while (!await condition())
        {
            if (limit.IsCancellationRequested)
                Assert.Fail($"It did not come about that {what}.");
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    private async Task StopAsync()
    {
        Rest.Dispose();
        Ingest.Dispose();
        await _system.DisposeAsync();
    }
}
