using StripeMeter.Cli.Commands;

namespace StripeMeter.Cli.Printing;

/// <summary>Tells on standard error how far long work is: at most once a second, on one line where there is a terminal.</summary>
internal sealed class Progress(CliHost host)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private readonly Lock _gate = new();
    private long _lastShown = host.Clock.GetTimestamp();
    private int _length;

    public void Show(string text)
    {
        lock (_gate)
        {
            if (host.Clock.GetElapsedTime(_lastShown) < Interval)
                return;
            _lastShown = host.Clock.GetTimestamp();
            if (host.ErrorIsTerminal)
                host.Error.Write('\r' + text.PadRight(_length));
            else
                host.Error.WriteLine(text);
            _length = text.Length;
        }
    }

    /// <summary>Leaves the line to what comes next.</summary>
    public void End()
    {
        lock (_gate)
        {
            if (host.ErrorIsTerminal && _length > 0)
                host.Error.WriteLine();
            _length = 0;
        }
    }
}
