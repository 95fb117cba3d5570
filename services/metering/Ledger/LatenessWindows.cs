using System.Globalization;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Metering.Ledger;

/// <summary>
/// After what delay events count as late: for a metric of a tenant, else for a metric, else for all. Written as
/// <c>metric=hours</c> or <c>tenant/metric=hours</c>, separated by commas; 0 hours means never.
/// </summary>
public sealed class LatenessWindows
{
    private readonly Dictionary<string, TimeSpan?> _byName = [];
    private readonly TimeSpan? _normal;

    /// <param name="normalHours">For metrics that are not named.</param>
    /// <param name="text">The metrics that are.</param>
    /// <exception cref="FormatException">The text cannot be read.</exception>
    public LatenessWindows(int normalHours, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        _normal = OfHours(normalHours);
        foreach (var entry in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var equals = entry.LastIndexOf('=');
            if (equals < 1 || !int.TryParse(entry.AsSpan(equals + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var hours))
                throw new FormatException($"'{entry}' is not of the form metric=hours or tenant/metric=hours.");
            _byName[entry[..equals]] = OfHours(hours);
        }
    }

    /// <summary>Null: never late.</summary>
    public TimeSpan? Of(TenantId tenant, string metric)
    {
        // Without exceptions, an event costs no look-up.
        if (_byName.Count == 0)
            return _normal;
        return _byName.TryGetValue($"{tenant.Value}/{metric}", out var window) || _byName.TryGetValue(metric, out window) ? window : _normal;
    }

    private static TimeSpan? OfHours(int hours) => hours == 0 ? null : TimeSpan.FromHours(hours);
}
