using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace StripeMeter.Defaults.Telemetry;

/// <summary>
/// A counter that an alert watches. It is exported from the start, with 0: what appears with its first count has not increased in
/// the eyes of Prometheus, and nobody would hear of it.
/// </summary>
public sealed class AlertingCounter
{
    private readonly string _label;
    private readonly ConcurrentDictionary<string, long> _counts = new(StringComparer.Ordinal);

    /// <summary>A counter without labels.</summary>
    public AlertingCounter(Meter meter, string name, string description)
        : this(meter, name, description, "", [""])
    {
    }

    /// <param name="meter">What exports it.</param>
    /// <param name="name">Its name, to which <c>_total</c> is added on export.</param>
    /// <param name="description">What it counts.</param>
    /// <param name="label">Its only label.</param>
    /// <param name="values">What the label may be.</param>
    public AlertingCounter(Meter meter, string name, string description, string label, IEnumerable<string> values)
    {
        ArgumentNullException.ThrowIfNull(meter);
        ArgumentNullException.ThrowIfNull(values);
        _label = label;
        foreach (var value in values)
            _counts[value] = 0;
        meter.CreateObservableCounter(name, Measure, description: description);
    }

    public void Add(long count) => Add(count, "");

    /// <summary>Counts under a value of the label.</summary>
    public void Add(long count, string value) => _counts.AddOrUpdate(value, count, (_, before) => before + count);

    private IEnumerable<Measurement<long>> Measure() => _counts.Select(entry => _label.Length == 0
        ? new Measurement<long>(entry.Value)
        : new Measurement<long>(entry.Value, new KeyValuePair<string, object?>(_label, entry.Key)));
}
