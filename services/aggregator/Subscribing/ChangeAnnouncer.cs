using System.Collections.Concurrent;
using Dapr.Client;
using Google.Protobuf;
using StripeMeter.Defaults.Hosting;
using StripeMeter.Defaults.Telemetry;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Work;
using StripeMeter.V1;

namespace StripeMeter.Aggregator.Subscribing;

/// <summary>
/// Wakes the pusher: publishes which tenants' counters changed, once an interval at most. An announcement that is lost
/// costs time only, because the pusher sweeps the dirty marks.
/// </summary>
public sealed partial class ChangeAnnouncer(
    DaprClient dapr, SubscriptionOptions options, TimeProvider clock, ILogger<ChangeAnnouncer> logger) : BackgroundService
{
    private readonly ConcurrentDictionary<TenantId, bool> _changed = [];
    private readonly TraceBatch _traces = new();

    /// <summary>Notes that counters of a tenant changed.</summary>
    public void Changed(TenantId tenant)
    {
        _traces.Add(TraceBatch.Current);
        if (_changed.Count < options.AnnouncedTenants)
            _changed.TryAdd(tenant, true);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(options.AnnounceIntervalMs), clock);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            var tenants = _changed.Keys.ToArray();
            if (tenants.Length == 0)
                continue;
            foreach (var tenant in tenants)
                _changed.TryRemove(tenant, out _);
            await AnnounceAsync(tenants, stoppingToken).ConfigureAwait(false);
        }
    }

    private async Task AnnounceAsync(TenantId[] tenants, CancellationToken cancellation)
    {
        var message = new CountersChanged();
        message.TenantIds.AddRange(tenants.Select(tenant => tenant.Value));
        message.TraceParents.AddRange(_traces.Take());
        using var activity = ServiceTracing.Start("aggregator.announce", message.TraceParents);
        try
        {
            await dapr.PublishByteEventAsync(
                DaprNames.PubSub, DaprNames.CountersChangedTopic, message.ToByteArray(), "application/octet-stream",
                cancellationToken: cancellation).ConfigureAwait(false);
        }
        catch (Exception problem) when (problem.IsOfThePiece(cancellation))
        {
            LogAnnounceFailed(logger, problem);
        }
    }

    [LoggerMessage(211, LogLevel.Debug, "Changed counters could not be announced; the pusher's sweep will find them")]
    private static partial void LogAnnounceFailed(ILogger logger, Exception problem);
}
