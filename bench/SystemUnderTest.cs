using System.Globalization;
using System.Net;
using System.Net.Sockets;
using StripeMeter.Defaults.Hosting;

namespace StripeMeter.Bench;

/// <summary>The system beside this program, with fresh data, and what it costs: all in one process, or each service in its own.</summary>
internal sealed class SystemUnderTest : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(120);
    private readonly ProcessTree _processes;
    private readonly string _data;
    private readonly TimeProvider _clock;

    private SystemUnderTest(ProcessTree processes, string data, TimeProvider clock, int restPort, int grpcPort) =>
        (_processes, _data, _clock, Rest, Grpc) = (processes, data, clock, Local(restPort), Local(grpcPort));

    /// <summary>Folder of its data.</summary>
    public string DataDirectory => _data;

    public Uri Rest { get; }

    public Uri Grpc { get; }

    /// <summary>The Stripe double of the embedded system.</summary>
    public Uri Stripe { get; private set; } = Local(0);

    /// <summary>How long it took from the start of the process to readiness.</summary>
    public TimeSpan StartTime { get; private set; }

    /// <summary>Everything in one process, on free ports.</summary>
    public static async Task<SystemUnderTest> StartEmbeddedAsync(TimeProvider clock, params (string Name, string Value)[] settings)
    {
        var (rest, grpc, stripe) = (FreePort(), FreePort(), FreePort());
        var environment = new Dictionary<string, string>
        {
            ["API_PORT"] = Text(rest), ["INGEST_PORT"] = Text(grpc), ["STRIPE_DOUBLE_PORT"] = Text(stripe),
        };
        foreach (var (name, value) in settings)
            environment[name] = value;
        var system = await StartAsync(clock, rest, grpc, "dotnet", [Repository.AssemblyOf("local", "StripeMeter.Local")], environment);
        system.Stripe = Local(stripe);
        return system;
    }

    /// <summary>Five services with a localdapr each and the Stripe double, on the ports that deployment files name.</summary>
    public static Task<SystemUnderTest> StartApartAsync(TimeProvider clock) => StartAsync(
        clock, AppCatalogue.Gateway.ProbePort, AppCatalogue.Ingest.AppPort,
        "bash", [Path.Combine(Repository.Root, "ops", "run-apart.sh")], new()
        {
            ["BUILD"] = "0", ["CONFIGURATION"] = Repository.Configuration,
        });

    /// <summary>Processor time used so far, over all cores and processes.</summary>
    public TimeSpan ProcessorTime() => _processes.Sum(process => process.TotalProcessorTime, TimeSpan.Zero, (one, other) => one + other);

    /// <summary>Memory that the processes hold. What they share counts in each.</summary>
    public long ResidentBytes() => _processes.Sum(process => process.WorkingSet64, 0L, (one, other) => one + other);

    public async ValueTask DisposeAsync()
    {
        await _processes.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    private static async Task<SystemUnderTest> StartAsync(
        TimeProvider clock, int restPort, int grpcPort, string program, string[] arguments, Dictionary<string, string> environment)
    {
        var data = Directory.CreateTempSubdirectory("stripemeter-bench-").FullName;
        environment["DATA_DIRECTORY"] = data;
        environment["LOG_LEVEL"] = "Warning";
        var started = clock.GetTimestamp();
        var system = new SystemUnderTest(ProcessTree.Start(program, arguments, environment), data, clock, restPort, grpcPort);
        await system.WaitUntilReadyAsync();
        system.StartTime = clock.GetElapsedTime(started);
        return system;
    }

    private async Task WaitUntilReadyAsync()
    {
        using var http = new HttpClient { BaseAddress = Rest };
        var started = _clock.GetTimestamp();
        while (!await IsReadyAsync(http))
        {
            if (_processes.HasExited || _clock.GetElapsedTime(started) > StartTimeout)
                throw new InvalidOperationException("The system did not become ready.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), _clock);
        }
    }

    private static async Task<bool> IsReadyAsync(HttpClient http)
    {
        try
        {
            using var response = await http.GetAsync(new Uri("/health/ready", UriKind.Relative));
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static Uri Local(int port) => new($"http://127.0.0.1:{port}");

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
