using System.Globalization;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Text;

namespace StripeMeter.Metering.Ledger;

/// <summary>
/// After what delay events count as late: for a metric of a tenant, else for a metric, else for all. Written as
/// <c>metric=hours</c> or <c>tenant/metric=hours</c>, separated by commas; 0 hours means never.
/// </summary>
public sealed class LatenessWindows
{
    private readonly MetricTable<TimeSpan?> _named;
    private readonly TimeSpan? _normal;

    /// <param name="normalHours">For metrics that are not named.</param>
    /// <param name="text">The metrics that are.</param>
    /// <exception cref="FormatException">The text cannot be read.</exception>
    public LatenessWindows(int normalHours, string text) =>
        (_normal, _named) = (OfHours(normalHours), new MetricTable<TimeSpan?>(text, static hours => OfHours(Read(hours))));

    /// <summary>Null: never late.</summary>
    public TimeSpan? Of(TenantId tenant, string metric) => _named.TryFind(tenant, metric, "", out var window) ? window : _normal;

    private static int Read(string hours) => int.TryParse(hours, NumberStyles.None, CultureInfo.InvariantCulture, out var read)
        ? read
        : throw new FormatException($"'{hours}' is not a number of hours.");

    private static TimeSpan? OfHours(int hours) => hours == 0 ? null : TimeSpan.FromHours(hours);
}
