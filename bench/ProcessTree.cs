using System.Diagnostics;
using System.Globalization;

namespace StripeMeter.Bench;

/// <summary>A process and those that it started.</summary>
internal sealed class ProcessTree : IAsyncDisposable
{
    private readonly Process _root;

    private ProcessTree(Process root) => _root = root;

    public bool HasExited => _root.HasExited;

    /// <param name="program">What is run. Its errors go to this program's; what it prints otherwise is dropped.</param>
    /// <param name="arguments">Its command line.</param>
    /// <param name="environment">Added to the environment, from which a Stripe key is taken out.</param>
    public static ProcessTree Start(string program, string[] arguments, Dictionary<string, string> environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true };
        start.Environment.Remove("STRIPE_SECRET_KEY");
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var root = Process.Start(start) ?? throw new InvalidOperationException($"{program} could not be started.");
        root.OutputDataReceived += (_, _) => { };
        root.BeginOutputReadLine();
        return new ProcessTree(root);
    }

    /// <summary>Adds up a figure of the process and of its children that run now.</summary>
    public T Sum<T>(Func<Process, T> figure, T zero, Func<T, T, T> add)
    {
        _root.Refresh();
        var sum = add(zero, figure(_root));
        foreach (var id in Children())
        {
            try
            {
                using var child = Process.GetProcessById(id);
                sum = add(sum, figure(child));
            }
            catch (Exception ended) when (ended is ArgumentException or InvalidOperationException)
            {
                // It ended between being listed and being asked.
            }
        }

        return sum;
    }

    public async ValueTask DisposeAsync()
    {
        _root.Kill(entireProcessTree: true);
        await _root.WaitForExitAsync();
        _root.Dispose();
    }

    private IEnumerable<int> Children()
    {
        var id = _root.Id.ToString(CultureInfo.InvariantCulture);
        return File.ReadAllText($"/proc/{id}/task/{id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(child => int.Parse(child, CultureInfo.InvariantCulture));
    }
}
