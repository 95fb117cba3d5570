using System.Runtime.InteropServices;

namespace StripeMeter.LocalDapr.Commands;

/// <summary>
/// Runs sidecars as a process of their own. Settings that daprd has no flag for come from the environment: <c>LOCALDAPR_DATA</c>
/// (folder of the data file, default <c>.localdapr</c>; processes with the same one form a group) and <c>LOCALDAPR_STRICT</c>
/// (default true).
/// </summary>
internal static class SidecarCommand
{
    private const string DataFolderVariable = "LOCALDAPR_DATA";
    private const string StrictVariable = "LOCALDAPR_STRICT";
    private const string DefaultDataFolder = ".localdapr";
    private const string DataFileName = "localdapr.db";

    private static readonly Task Never = new TaskCompletionSource().Task;

    /// <summary><c>localdapr --app-id … </c>, like daprd; <c>localdapr run -f dapr.yaml</c>, like the dapr CLI.</summary>
    public static async Task<int> RunAsync(string[] arguments)
    {
        using var stop = new StopSignal();
        try
        {
            switch (arguments)
            {
                case ["--version"] or ["-version"]:
                    Console.WriteLine(Api.MetadataApi.RuntimeVersion);
                    return 0;
                case ["run", "-f" or "--run-file", var path]:
                    return await RunFileAsync(path, stop).ConfigureAwait(false);
                case ["run", ..]:
                    throw new LocalDaprConfigurationException("usage: localdapr run -f dapr.yaml");
                default:
                    return await RunOneAsync(DaprdFlags.Parse(arguments), stop).ConfigureAwait(false);
            }
        }
        catch (Exception failure) when (failure is LocalDaprConfigurationException or IOException)
        {
            await Console.Error.WriteLineAsync($"localdapr: {failure.Message}").ConfigureAwait(false);
            return 1;
        }
    }

    private static async Task<int> RunOneAsync(DaprdFlags flags, StopSignal stop)
    {
        var app = flags.ToApp();
        var options = OptionsFor([app], Directory.GetCurrentDirectory(), flags.Text("log-level"));
        using var logging = options.LoggerFactory;
        await using var host = await LocalDaprHost.StartAsync(options).ConfigureAwait(false);
        host.Sidecars[app.AppId].ShutdownRequested += stop.Set;
        var ready = AnnounceAsync(host, app.AppId, "");
        await Task.WhenAny(stop.Task, FailureOfStartAsync(ready, Never)).ConfigureAwait(false);
        return stop.IsSet ? 0 : 1;
    }

    private static async Task<int> RunFileAsync(string path, StopSignal stop)
    {
        var apps = RunFile.Read(path);
        var root = Path.GetDirectoryName(Path.GetFullPath(Directory.Exists(path) ? Path.Combine(path, RunFile.DefaultName) : path))!;
        var options = OptionsFor([.. apps.Select(static app => app.App)], root, null);
        using var logging = options.LoggerFactory;
        await using var host = await LocalDaprHost.StartAsync(options).ConfigureAwait(false);
        await using var processes = new AppProcesses(Console.Out, options.TimeProvider);
        foreach (var app in apps)
        {
            host.Sidecars[app.App.AppId].ShutdownRequested += stop.Set;
            processes.Start(app, host.Sidecars[app.App.AppId], options);
        }

        var ready = Task.WhenAll(apps.Select(app => AnnounceAsync(host, app.App.AppId, $"== DAPR - {app.App.AppId} == ")));
        await Task.WhenAny(stop.Task, processes.AllEnded, FailureOfStartAsync(ready, processes.FirstEnded)).ConfigureAwait(false);
        await processes.DisposeAsync().ConfigureAwait(false);
        return stop.IsSet || (ready.IsCompletedSuccessfully && !processes.AnyFailed) ? 0 : 1;
    }

    /// <summary>Done when a sidecar cannot serve its app, or an app ends before all are up.</summary>
    private static async Task FailureOfStartAsync(Task ready, Task appEnded)
    {
        await Task.WhenAny(ready, appEnded).ConfigureAwait(false);
        if (ready.IsCompletedSuccessfully)
            await Never.ConfigureAwait(false);
    }

    private static async Task AnnounceAsync(LocalDaprHost host, string appId, string prefix)
    {
        try
        {
            var sidecar = host.Sidecars[appId];
            await sidecar.WaitUntilReadyAsync().ConfigureAwait(false);
            Console.WriteLine($"{prefix}dapr initialized. Status: Running. app_id={appId} http={sidecar.HttpPort} grpc={sidecar.GrpcPort}");
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            await Console.Error.WriteLineAsync($"{prefix}{failure.Message}").ConfigureAwait(false);
            throw;
        }
    }

    private static LocalDaprOptions OptionsFor(IReadOnlyList<LocalDaprApp> apps, string root, string? logLevel)
    {
        var folder = Path.GetFullPath(Environment.GetEnvironmentVariable(DataFolderVariable) is { Length: > 0 } named ? named
            : DefaultDataFolder, root);
        return new LocalDaprOptions
        {
            DataFile = Path.Combine(folder, DataFileName),
            Apps = apps,
            Shared = true,
            Strict = !bool.TryParse(Environment.GetEnvironmentVariable(StrictVariable), out var strict) || strict,
            DaprApiToken = Environment.GetEnvironmentVariable("DAPR_API_TOKEN"),
            AppApiToken = Environment.GetEnvironmentVariable("APP_API_TOKEN"),
            LoggerFactory = LoggerFactory.Create(logging => logging.SetMinimumLevel(LevelOf(logLevel))
                .AddFilter("Microsoft", LogLevel.Warning)
                .AddFilter("Grpc", LogLevel.Warning)
                .AddFilter("Yarp", LogLevel.Warning)
                .AddSimpleConsole(static console => console.SingleLine = true)),
        };
    }

    private static LogLevel LevelOf(string? level) => level switch
    {
        "debug" => LogLevel.Debug,
        "warn" => LogLevel.Warning,
        "error" or "fatal" or "panic" => LogLevel.Error,
        _ => LogLevel.Information,
    };

    /// <summary>Ctrl-C or SIGTERM.</summary>
    private sealed class StopSignal : IDisposable
    {
        private readonly TaskCompletionSource _stop = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly PosixSignalRegistration[] _signals;

        public StopSignal() => _signals = [Register(PosixSignal.SIGINT), Register(PosixSignal.SIGTERM)];

        private PosixSignalRegistration Register(PosixSignal signal) => PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            Set();
        });

        public Task Task => _stop.Task;

        public bool IsSet => _stop.Task.IsCompleted;

        public void Set() => _stop.TrySetResult();

        public void Dispose() => Array.ForEach(_signals, static signal => signal.Dispose());
    }
}
