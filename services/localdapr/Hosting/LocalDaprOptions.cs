using Microsoft.Extensions.Logging.Abstractions;
using StripeMeter.LocalDapr.Resources;

namespace StripeMeter.LocalDapr;

/// <summary>Describes a group of sidecars: one per app, over one data file.</summary>
public sealed record LocalDaprOptions
{
    /// <summary>The SQLite file of the group; created when missing. Holds actor state, reminders and durable topics.</summary>
    public required string DataFile { get; init; }

    /// <summary>The apps, each with a sidecar of its own.</summary>
    public required IReadOnlyList<LocalDaprApp> Apps { get; init; }

    /// <summary>Components, subscriptions and policies for every app that names none of its own.</summary>
    public ResourceSet Resources { get; init; } = ResourceSet.Empty;

    /// <summary>Reproduces what daprd refuses or does wrong (see the README), so that what works here works there. Default
    /// on.</summary>
    public bool Strict { get; init; } = true;

    /// <summary>Other processes open the same data file and form one group with this one. Default off.</summary>
    public bool Shared { get; init; }

    /// <summary>What callers of a sidecar must send as <c>dapr-api-token</c> (<c>DAPR_API_TOKEN</c>). Default: nothing.</summary>
    public string? DaprApiToken { get; init; }

    /// <summary>What a sidecar sends its app as <c>dapr-api-token</c> (<c>APP_API_TOKEN</c>), unless the app names its own.
    /// Default: nothing.</summary>
    public string? AppApiToken { get; init; }

    public LocalDaprLimits Limits { get; init; } = new();

    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    /// <exception cref="LocalDaprConfigurationException">A value makes no sense; the message names it.</exception>
    internal void Validate()
    {
        if (Apps.Count == 0)
            throw new LocalDaprConfigurationException("no app is named");
        foreach (var twice in Apps.CountBy(static app => app.AppId, StringComparer.Ordinal).Where(static pair => pair.Value > 1))
            throw new LocalDaprConfigurationException($"app id '{twice.Key}' is named twice");
        foreach (var app in Apps)
            app.Validate(app.Resources ?? Resources);
        Limits.Validate();
    }
}
