using System.Diagnostics;

namespace StripeMeter.Defaults.Telemetry;

/// <summary>The spans that the work of a batch comes from, as W3C's <c>traceparent</c>. May be used by many threads.</summary>
public sealed class TraceBatch
{
    /// <summary>Spans kept of a batch; further ones are not linked.</summary>
    public const int Maximum = 16;

    private readonly Lock _lock = new();
    private List<string> _traceParents = [];

    /// <summary>The span under way, if there is one.</summary>
    public static string? Current => Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.Id : null;

    public void Add(string? traceParent)
    {
        if (string.IsNullOrEmpty(traceParent))
            return;
        lock (_lock)
        {
            if (_traceParents.Count < Maximum && !_traceParents.Contains(traceParent))
                _traceParents.Add(traceParent);
        }
    }

    public void AddRange(IEnumerable<string> traceParents)
    {
        ArgumentNullException.ThrowIfNull(traceParents);
        foreach (var traceParent in traceParents)
            Add(traceParent);
    }

    /// <summary>Takes what has gathered, and begins a new batch.</summary>
    public IReadOnlyList<string> Take()
    {
        lock (_lock)
        {
            var taken = _traceParents;
            if (taken.Count > 0)
                _traceParents = [];
            return taken;
        }
    }
}
