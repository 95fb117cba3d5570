using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace StripeMeter.LocalDapr.Commands;

/// <summary>The apps of a run file as processes, with their output under their names.</summary>
internal sealed partial class AppProcesses(TextWriter output, TimeProvider time) : IAsyncDisposable
{
    /// <summary>How long an app may take to end when asked, before it is killed.</summary>
    public static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(10);

    private const int SigTerm = 15;

    private readonly List<(string AppId, Process Process, Task Ended)> _running = [];
    private readonly ConcurrentBag<string> _failed = [];
    private readonly TaskCompletionSource _firstEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isStopping;

    /// <summary>Done when some app has ended.</summary>
    public Task FirstEnded => _firstEnded.Task;

    /// <summary>Done when every app has ended; never when there is none.</summary>
    public Task AllEnded => _running.Count == 0 ? new TaskCompletionSource().Task : Task.WhenAll(_running.Select(static app => app.Ended));

    /// <summary>An app ended by itself with an exit code other than 0.</summary>
    public bool AnyFailed => !_failed.IsEmpty;

    /// <exception cref="LocalDaprConfigurationException">The command cannot be started.</exception>
    public void Start(RunFileApp app, LocalDaprSidecar sidecar, LocalDaprOptions options)
    {
        if (app.Command.Count == 0)
            return;
        var start = new ProcessStartInfo(app.Command[0]) { WorkingDirectory = app.Folder, RedirectStandardOutput = true,
            RedirectStandardError = true, UseShellExecute = false };
        foreach (var argument in app.Command.Skip(1))
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in VariablesOf(app, sidecar))
            start.Environment[name] = value;
        try
        {
            var process = Process.Start(start) ?? throw new LocalDaprConfigurationException($"app '{sidecar.AppId}' could not be started");
            _running.Add((sidecar.AppId, process, WatchAsync(sidecar.AppId, process)));
        }
        catch (Win32Exception failure)
        {
            throw new LocalDaprConfigurationException($"app '{sidecar.AppId}' could not be started: {failure.Message}");
        }
    }

    private static IEnumerable<(string Name, string Value)> VariablesOf(RunFileApp app, LocalDaprSidecar sidecar)
    {
        static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
        yield return ("APP_ID", sidecar.AppId);
        yield return ("DAPR_HTTP_PORT", Number(sidecar.HttpPort));
        yield return ("DAPR_GRPC_PORT", Number(sidecar.GrpcPort));
        yield return ("DAPR_METRICS_PORT", Number(app.MetricsPort ?? 0));
        yield return ("APP_PROTOCOL", app.App.AppProtocol switch { AppProtocol.Http => "http", AppProtocol.H2c => "h2c", _ => "grpc" });
        if (app.App.AppPort is { } port)
            yield return ("APP_PORT", Number(port));
        foreach (var (name, value) in app.Environment)
            yield return (name, value);
    }

    private async Task WatchAsync(string appId, Process process)
    {
        await Task.WhenAll(CopyAsync(appId, process.StandardOutput), CopyAsync(appId, process.StandardError),
            process.WaitForExitAsync()).ConfigureAwait(false);
        if (!_isStopping && process.ExitCode != 0)
            _failed.Add(appId);
        await output.WriteLineAsync(_isStopping ? $"app stopped successfully: {appId}"
            : $"== APP - {appId} == ended with exit code {process.ExitCode}").ConfigureAwait(false);
        _firstEnded.TrySetResult();
    }

    private async Task CopyAsync(string appId, StreamReader lines)
    {
        while (await lines.ReadLineAsync().ConfigureAwait(false) is { } line)
            await output.WriteLineAsync($"== APP - {appId} == {line}").ConfigureAwait(false);
    }

    /// <summary>Asks every app to end and kills what does not.</summary>
    public async ValueTask DisposeAsync()
    {
        _isStopping = true;
        foreach (var (_, process, _) in _running.Where(static app => !app.Ended.IsCompleted))
            AskToEnd(process);
        await Task.WhenAll(_running.Select(static app => app.Ended)).WaitAsync(StopLimit, time)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var (_, process, ended) in _running)
        {
            if (!ended.IsCompleted)
                process.Kill(entireProcessTree: true);
            await ended.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            process.Dispose();
        }

        _running.Clear();
    }

    private static void AskToEnd(Process process)
    {
        if (OperatingSystem.IsWindows())
            process.Kill(entireProcessTree: true);
        else
            _ = Kill(process.Id, SigTerm);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int processId, int signal);
}
