using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Kits.Files;
using StripeMeter.Kits.Network;
using Xunit;

namespace StripeMeter.EndToEnd.Tests;

/// <summary>
/// Every service as a process of its own, each beside a localdapr of its own that reads the repository's components, and
/// the Stripe double: what <c>ops/run-apart.sh</c> starts, on free ports.
/// </summary>
/// <param name="settings">Of every service, beside those that make it fast and local.</param>
internal sealed class ApartSystem(params (string Name, string Value)[] settings) : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(120);
    private readonly string _data = Directory.CreateTempSubdirectory("stripemeter-test-").FullName;
    private readonly Dictionary<string, AppPorts> _ports = AppCatalogue.All.ToDictionary(app => app.Id, _ => AppPorts.Free());
    private readonly ConcurrentDictionary<string, Process> _processes = new();
    private readonly int _stripePort = FreePort.Take();

    public Uri Rest => new($"http://127.0.0.1:{_ports[AppCatalogue.Gateway.Id].Probe}");

    public Uri Ingest => new($"http://127.0.0.1:{_ports[AppCatalogue.Ingest.Id].App}");

    public string DataDirectory => _data;

    public string StripeBase => $"http://127.0.0.1:{_stripePort}";

    public async Task StartAsync()
    {
        StartStripe();
        foreach (var app in AppCatalogue.All)
        {
            StartApp(app.Id);
            StartSidecar(app.Id);
        }

        await UntilReadyAsync();
    }

    /// <summary>Ends a service as a power cut would, and starts it again.</summary>
    public async Task KillAndRestartAppAsync(string appId)
    {
        await KillAsync(appId);
        StartApp(appId);
        await UntilReadyAsync();
    }

    /// <summary>The same with the sidecar of a service.</summary>
    public async Task KillAndRestartSidecarAsync(string appId)
    {
        await KillAsync(SidecarOf(appId));
        StartSidecar(appId);
        await UntilReadyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_processes.Keys.Select(KillAsync));
        Directory.Delete(_data, recursive: true);
    }

    private static string SidecarOf(string appId) => appId + "-dapr";

    private async Task KillAsync(string name)
    {
        Assert.True(_processes.TryRemove(name, out var process));
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private async Task UntilReadyAsync()
    {
        using var http = new HttpClient();
        using var limit = new CancellationTokenSource(StartPatience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        foreach (var app in AppCatalogue.All)
        {
            var address = new Uri($"http://127.0.0.1:{_ports[app.Id].Probe}/health/ready");
            while (!await ServiceProcess.IsReadyAsync(http, address))
            {
                foreach (var (name, process) in _processes)
                    Assert.False(process.HasExited, $"{name} ended while it started.");
                await timer.WaitForNextTickAsync(limit.Token);
            }
        }
    }

    private void StartStripe() => _processes["stripe"] = ServiceProcess.Start(
        "StripeMeter.StripeDouble", ["--port", Text(_stripePort), "--data", Path.Combine(_data, "stripe-double.db")], []);

    private void StartApp(string appId)
    {
        var ports = _ports[appId];
        var environment = new Dictionary<string, string>
        {
            ["DATA_DIRECTORY"] = _data, ["APP_PORT"] = Text(ports.App), ["PROBE_PORT"] = Text(ports.Probe),
            ["API_PORT"] = Text(ports.Probe), ["API_HOST"] = "127.0.0.1", ["DAPR_HTTP_PORT"] = Text(ports.DaprHttp),
            ["DAPR_GRPC_PORT"] = Text(ports.DaprGrpc), ["STRIPE_DOUBLE_BASE"] = StripeBase, ["LOG_LEVEL"] = "Error",
            ["BYPASS_AUTH"] = "1",
            ["STRIPE_WRITER_INTERVAL_MS"] = "200", ["CATCH_UP_INTERVAL_MS"] = "200", ["CATCH_UP_PATIENCE_MS"] = "500",
        };
        foreach (var (name, value) in settings)
            environment[name] = value;
        _processes[appId] = ServiceProcess.Start("StripeMeter." + CultureInfo.InvariantCulture.TextInfo.ToTitleCase(appId), [], environment);
    }

    private void StartSidecar(string appId)
    {
        var ports = _ports[appId];
        var components = Path.Combine(Repository.Root, "components");
        _processes[SidecarOf(appId)] = ServiceProcess.Start(
            "StripeMeter.LocalDapr",
            [
                "--app-id", appId, "--app-port", Text(ports.App), "--app-protocol", "h2c", "--dapr-http-port", Text(ports.DaprHttp),
                "--dapr-grpc-port", Text(ports.DaprGrpc), "--max-body-size", "16Mi", "--resources-path", components, "--config",
                Path.Combine(components, "config.yaml"),
            ],
            new Dictionary<string, string> { ["LOCALDAPR_DATA"] = _data });
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private sealed record AppPorts(int App, int Probe, int DaprHttp, int DaprGrpc)
    {
        public static AppPorts Free() => new(
            FreePort.Take(), FreePort.Take(), FreePort.Take(), FreePort.Take());
    }
}
