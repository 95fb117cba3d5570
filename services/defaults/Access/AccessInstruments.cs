using System.Diagnostics.Metrics;
using StripeMeter.Defaults.Telemetry;

namespace StripeMeter.Defaults.Access;

/// <summary>What is counted of refused callers. The names are those of the metrics contract.</summary>
public sealed class AccessInstruments
{
    private readonly Counter<long> _notProven;
    private readonly Counter<long> _otherTenant;
    private readonly Counter<long> _scopeDenied;
    private readonly Counter<long> _limited;
    private readonly Counter<long> _shed;

    public AccessInstruments(IMeterFactory meters)
    {
        ArgumentNullException.ThrowIfNull(meters);
        var meter = meters.Create(ServiceTelemetry.Prefix + "Access");
        _notProven = meter.CreateCounter<long>("auth_fail", description: "Requests whose caller proved nothing.");
        _otherTenant = meter.CreateCounter<long>("cross_tenant_block", description: "Requests about a tenant that is not the caller's.");
        _scopeDenied = meter.CreateCounter<long>("scope_deny", description: "Requests whose caller has none of the scopes needed.");
        _limited = meter.CreateCounter<long>("rate_limited", description: "Requests refused because their caller came too often.");
        _shed = meter.CreateCounter<long>("requests_shed", description: "Requests refused because too many were being served.");
    }

    /// <param name="route">Template of the route or name of the method, never an address as sent.</param>
    public void NotProven(string route) => _notProven.Add(1, Tag(route));

    /// <inheritdoc cref="NotProven"/>
    public void OtherTenant(string route) => _otherTenant.Add(1, Tag(route));

    /// <inheritdoc cref="NotProven"/>
    public void ScopeDenied(string route) => _scopeDenied.Add(1, Tag(route));

    /// <inheritdoc cref="NotProven"/>
    public void Limited(string route) => _limited.Add(1, Tag(route));

    public void Shed() => _shed.Add(1);

    private static KeyValuePair<string, object?> Tag(string route) => new("route", route);
}
