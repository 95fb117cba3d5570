using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace StripeMeter.Bench;

/// <summary>The embedded system as a process of its own, with fresh data, and what it costs.</summary>
internal sealed class SystemUnderTest : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly string _data;
    private readonly TimeProvider _clock;

    private SystemUnderTest(Process process, string data, TimeProvider clock, Uri rest, Uri grpc) =>
        (_process, _data, _clock, Rest, Grpc) = (process, data, clock, rest, grpc);

    public Uri Rest { get; }

    public Uri Grpc { get; }

    /// <summary>How long it took from the start of the process to readiness.</summary>
    public TimeSpan StartTime { get; private set; }

    public static async Task<SystemUnderTest> StartAsync(string assembly, TimeProvider clock)
    {
        var data = Directory.CreateTempSubdirectory("stripemeter-bench-").FullName;
        var (rest, grpc, stripe) = (FreePort(), FreePort(), FreePort());
        var started = clock.GetTimestamp();
        var start = new ProcessStartInfo("dotnet", [assembly, "--data", data, "--LOG_LEVEL", "Warning"])
        {
            RedirectStandardOutput = true,
        };
        start.Environment["API_PORT"] = rest.ToString(CultureInfo.InvariantCulture);
        start.Environment["INGEST_PORT"] = grpc.ToString(CultureInfo.InvariantCulture);
        start.Environment["STRIPE_DOUBLE_PORT"] = stripe.ToString(CultureInfo.InvariantCulture);
        start.Environment.Remove("STRIPE_SECRET_KEY");
        var process = Process.Start(start) ?? throw new InvalidOperationException("The system could not be started.");
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        var system = new SystemUnderTest(
            process, data, clock, new Uri($"http://127.0.0.1:{rest}"), new Uri($"http://127.0.0.1:{grpc}"));
        await system.WaitUntilReadyAsync();
        system.StartTime = clock.GetElapsedTime(started);
        return system;
    }

    /// <summary>Processor time used so far, over all cores.</summary>
    public TimeSpan ProcessorTime()
    {
        _process.Refresh();
        return _process.TotalProcessorTime;
    }

    public long ResidentBytes()
    {
        _process.Refresh();
        return _process.WorkingSet64;
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    private async Task WaitUntilReadyAsync()
    {
        using var http = new HttpClient { BaseAddress = Rest };
        var started = _clock.GetTimestamp();
        while (true)
        {
            try
            {
                using var response = await http.GetAsync(new Uri("/health/ready", UriKind.Relative));
                if (response.IsSuccessStatusCode)
                    return;
            }
            catch (HttpRequestException)
            {
            }

            if (_process.HasExited || _clock.GetElapsedTime(started) > StartTimeout)
                throw new InvalidOperationException("The system did not become ready.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), _clock);
        }
    }

    /// <summary>The embedded system, built in the same configuration as this program.</summary>
    public static string FindAssembly()
    {
        var own = new DirectoryInfo(AppContext.BaseDirectory);
        var (framework, configuration) = (own.Name, own.Parent!.Name);
        var root = own;
        while (root is not null && !System.IO.File.Exists(Path.Combine(root.FullName, "stripemeter.sln")))
            root = root.Parent;
        var assembly = Path.Combine(
            root?.FullName ?? "", "services", "local", "bin", configuration, framework, "StripeMeter.Local.dll");
        return System.IO.File.Exists(assembly)
            ? assembly
            : throw new InvalidOperationException($"Build it first: dotnet build -c {configuration} services/local");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
