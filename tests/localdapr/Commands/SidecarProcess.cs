using System.Diagnostics;
using System.Runtime.InteropServices;

namespace StripeMeter.LocalDapr.Tests.Commands;

/// <summary>localdapr as a process of its own.</summary>
internal sealed partial class SidecarProcess : IAsyncDisposable
{
    private const int SigTerm = 15;

    private readonly Process _process;
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];

    private SidecarProcess(Process process) => _process = process;

    public int ExitCode => _process.ExitCode;

    public string Output
    {
        get
        {
            lock (_lock)
                return string.Join('\n', _lines);
        }
    }

    public static SidecarProcess Start(string dataFolder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true,
            Environment = { ["LOCALDAPR_DATA"] = dataFolder } };
        start.ArgumentList.Add(typeof(LocalDaprHost).Assembly.Location);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        var running = new SidecarProcess(new Process { StartInfo = start });
        running._process.OutputDataReceived += running.Take;
        running._process.ErrorDataReceived += running.Take;
        running._process.Start();
        running._process.BeginOutputReadLine();
        running._process.BeginErrorReadLine();
        return running;
    }

    private void Take(object sender, DataReceivedEventArgs line)
    {
        lock (_lock)
        {
            if (line.Data is not null)
                _lines.Add(line.Data);
        }
    }

    public bool Says(string text) => Output.Contains(text, StringComparison.Ordinal);

    public Task EndAsync() => _process.WaitForExitAsync().WaitAsync(Patience.Limit);

    public void AskToEnd() => Assert.Equal(0, Kill(_process.Id, SigTerm));

    public void KillAtOnce() => _process.Kill();

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await EndAsync();
        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int processId, int signal);
}
