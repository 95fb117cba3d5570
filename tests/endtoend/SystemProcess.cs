using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using StripeMeter.Kits.Network;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>The embedded system as a process that can be killed and started again on the same ports and data.</summary>
internal sealed class SystemProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);
    private readonly int _restPort = FreePort.Take();
    private readonly int _ingestPort = FreePort.Take();
    private readonly int _stripePort = FreePort.Take();
    private readonly string _data = Directory.CreateTempSubdirectory("stripemeter-test-").FullName;
    private Process? _process;

    public Uri Rest => new($"http://127.0.0.1:{_restPort}");

    public Uri Ingest => new($"http://127.0.0.1:{_ingestPort}");

    public string StripeBase => $"http://127.0.0.1:{_stripePort}";

    public async Task StartAsync()
    {
        _process = Launch(_restPort);
        using var http = new HttpClient { BaseAddress = Rest };
        using var limit = new CancellationTokenSource(StartPatience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (!await ServiceProcess.IsReadyAsync(http, new Uri("/health/ready", UriKind.Relative)))
        {
            Assert.False(_process.HasExited, "The system ended while it started.");
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }

    /// <summary>Ends the process as a power cut would end it: no signal handler runs.</summary>
    public async Task KillAsync()
    {
        _process!.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    /// <summary>
    /// Asks the process to end, as a container's runtime does. Ctrl-C takes the same way, but whatever a shell starts in the
    /// background ignores it, these tests too. Returns its exit code.
    /// </summary>
    public async Task<int> TerminateAsync()
    {
        using (var kill = Process.Start("kill", ["-TERM", _process!.Id.ToString(CultureInfo.InvariantCulture)]))
            await kill.WaitForExitAsync();
        await _process.WaitForExitAsync().WaitAsync(StartPatience);
        var code = _process.ExitCode;
        _process.Dispose();
        _process = null;
        return code;
    }

    /// <summary>Starts a second system on a port that is taken. Returns its exit code and what it said.</summary>
    public async Task<(int ExitCode, string Error)> StartOnTakenPortAsync()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        using var process = Launch(((IPEndPoint)taken.LocalEndpoint).Port);
        var error = await process.StandardError.ReadToEndAsync().WaitAsync(StartPatience);
        await process.WaitForExitAsync().WaitAsync(StartPatience);
        return (process.ExitCode, error);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await KillAsync();
        Directory.Delete(_data, recursive: true);
    }

    private Process Launch(int restPort) => ServiceProcess.Start(
        "StripeMeter.Local",
        ["--data", _data, "--LOG_LEVEL", "Error"],
        new Dictionary<string, string>
        {
            ["API_PORT"] = Text(restPort), ["INGEST_PORT"] = Text(_ingestPort), ["STRIPE_DOUBLE_PORT"] = Text(_stripePort),
            ["STRIPE_WRITER_INTERVAL_MS"] = "200", ["CATCH_UP_INTERVAL_MS"] = "200", ["CATCH_UP_PATIENCE_MS"] = "500",
        });

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
