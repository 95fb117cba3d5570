using StripeMeter.Metering.Tenants;

namespace StripeMeter.Metering.Text;

/// <summary>
/// Values of metrics as a setting lists them, separated by commas: <c>metric=value</c>, <c>tenant/metric=value</c> or
/// <c>tenant/metric/customer=value</c>. The narrowest one counts.
/// </summary>
public sealed class MetricTable<T>
{
    private readonly Dictionary<string, T> _byName = [];

    /// <param name="text">The setting.</param>
    /// <param name="read">Reads a value.</param>
    /// <exception cref="FormatException">The text cannot be read.</exception>
    public MetricTable(string text, Func<string, T> read)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(read);
        foreach (var entry in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var equals = entry.LastIndexOf('=');
            if (equals < 1)
                throw new FormatException($"'{entry}' is not of the form metric=value or tenant/metric=value.");
            _byName[entry[..equals]] = read(entry[(equals + 1)..]);
        }
    }

    /// <summary>Finds the value of a metric, for a customer if there is one of its own.</summary>
    public bool TryFind(TenantId tenant, string metric, string customer, out T? value)
    {
        // A table that is empty, as most are, costs no look-up.
        value = default;
        return _byName.Count > 0 && ((customer.Length > 0 && _byName.TryGetValue($"{tenant.Value}/{metric}/{customer}", out value))
            || _byName.TryGetValue($"{tenant.Value}/{metric}", out value) || _byName.TryGetValue(metric, out value));
    }
}
