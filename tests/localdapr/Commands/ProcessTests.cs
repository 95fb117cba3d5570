using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Dapr.Actors;
using Dapr.Actors.Client;
using Microsoft.Extensions.DependencyInjection;
using StripeMeter.LocalDapr.Tests.Actors;
using StripeMeter.LocalDapr.Tests.Kit;

namespace StripeMeter.LocalDapr.Tests.Commands;

public sealed partial class ProcessTests : IDisposable
{
    private const string Running = "dapr initialized. Status: Running.";

    private readonly string _folder = Directory.CreateTempSubdirectory("localdapr-tests-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string WriteComponents()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "components")).FullName;
        File.WriteAllText(Path.Combine(folder, "statestore.yaml"), """
            apiVersion: dapr.io/v1alpha1
            kind: Component
            metadata: { name: statestore }
            spec: { type: state.mongodb, version: v1, metadata: [{ name: actorStateStore, value: "true" }] }
            """);
        return folder;
    }

    private SidecarProcess StartFor(TestApp app, int httpPort = 0) => SidecarProcess.Start(
        _folder, "--app-id", "app", "--app-port", app.Port.ToString(CultureInfo.InvariantCulture), "--app-protocol", "h2c",
        "--dapr-http-port", httpPort.ToString(CultureInfo.InvariantCulture), "--dapr-grpc-port", "0", "--resources-path",
            WriteComponents());

    [GeneratedRegex(@"app_id=app http=(\d+)")]
    private static partial Regex HttpPortLine();

    private static int HttpPortOf(SidecarProcess sidecar) =>
        int.Parse(HttpPortLine().Match(sidecar.Output).Groups[1].Value, CultureInfo.InvariantCulture);

    private static ICounterActor CounterThrough(int httpPort) =>
        new ActorProxyFactory(new ActorProxyOptions { HttpEndpoint = $"http://127.0.0.1:{httpPort}" })
            .CreateActorProxy<ICounterActor>(new ActorId("one"), nameof(CounterActor));

    [Fact]
    public async Task Sidecar_KilledAndStartedAgain_KeepsState_AndEndsGracefullyWhenAsked()
    {
        await using var group = await TestGroup.StartAsync();
        // The app saves through the sidecar it was told of, so the process takes over that one's ports.
        var (httpPort, app) = (group.Host.Sidecars["app"].HttpPort, await group.AddAppAsync(static app =>
        {
            app.Services = static services => services.AddSingleton<ActorLog>();
            app.Actors = static actors => actors.Actors.RegisterActor<CounterActor>();
        }));
        await group.Host.StopAsync();

        await using (var first = StartFor(app, httpPort))
        {
            await Patience.UntilAsync(() => first.Says(Running), "the sidecar to run");
            Assert.Equal(httpPort, HttpPortOf(first));
            Assert.Equal(5, await CounterThrough(httpPort).Add(5));
            first.KillAtOnce();
            await first.EndAsync();
        }

        await using var second = StartFor(app, httpPort);
        await Patience.UntilAsync(() => second.Says(Running), "the sidecar to run again");
        Assert.Equal(6, await CounterThrough(httpPort).Add(1));
        second.AskToEnd();
        await second.EndAsync();
        Assert.Equal(0, second.ExitCode);
    }

    [Fact]
    public async Task UnknownFlag_EndsTheProcess()
    {
        await using var sidecar = SidecarProcess.Start(_folder, "--app-id", "app", "--surprise");
        await sidecar.EndAsync();

        Assert.Equal(1, sidecar.ExitCode);
        Assert.Contains("unknown flag: --surprise", sidecar.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BusyPort_EndsTheProcessWithAClearMessage()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await using var sidecar = SidecarProcess.Start(_folder, "--app-id", "app", "--dapr-http-port",
            port.ToString(CultureInfo.InvariantCulture), "--dapr-grpc-port", "0");
        await sidecar.EndAsync();

        Assert.Equal(1, sidecar.ExitCode);
        Assert.Contains(port.ToString(CultureInfo.InvariantCulture), sidecar.Output, StringComparison.Ordinal);
    }

    private string WriteRunFile(string apps)
    {
        WriteComponents();
        var path = Path.Combine(_folder, "dapr.yaml");
        File.WriteAllText(path, $"version: 1\ncommon: {{ resourcesPaths: [./components] }}\napps:\n{apps}");
        return path;
    }

    [Fact]
    public async Task RunFile_StartsTheApps_PrefixesTheirOutput_AndStopsThem()
    {
        var path = WriteRunFile("""
            - { appID: one, appDirPath: ., env: { GREETING: hello }, command: [sh, -c, 'echo "$GREETING from $APP_ID at $DAPR_HTTP_PORT"; exec sleep 600'] }
            - { appID: two, appDirPath: ., daprHTTPPort: 0, command: [sleep, "600"] }
            """);
        await using var run = SidecarProcess.Start(_folder, "run", "-f", path);

        await Patience.UntilAsync(() => run.Says($"== DAPR - one == {Running}") && run.Says($"== DAPR - two == {Running}")
            && run.Says("== APP - one == hello from one at "), "both to run");
        run.AskToEnd();
        await run.EndAsync();

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("app stopped successfully: one", run.Output, StringComparison.Ordinal);
        Assert.Contains("app stopped successfully: two", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[sh, -c, 'exit 3']", "ended with exit code 3")]
    [InlineData("[no-such-command-anywhere]", "no-such-command-anywhere")]
    public async Task RunFile_OneAppFailsToStart_StopsAll(string command, string expected)
    {
        var path = WriteRunFile($$"""
            - { appID: one, appDirPath: ., command: [sleep, "600"] }
            - { appID: two, appDirPath: ., appPort: 1, command: {{command}} }
            """);
        await using var run = SidecarProcess.Start(_folder, "run", "-f", path);
        await run.EndAsync();

        Assert.Equal(1, run.ExitCode);
        Assert.Contains(expected, run.Output, StringComparison.Ordinal);
        Assert.Contains("app stopped successfully: one", run.Output, StringComparison.Ordinal);
    }
}
