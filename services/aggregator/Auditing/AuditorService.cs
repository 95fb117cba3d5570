using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using StripeMeter.Defaults.Telemetry;
using StripeMeter.Metering.Auditing;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;
using StripeMeter.Metering.Work;

namespace StripeMeter.Aggregator.Auditing;

/// <summary>Recounts counters all the time, a few a minute, and says loudly when one is not what the ledger says.</summary>
public sealed partial class AuditorService : BackgroundService
{
    private const string Actor = "auditor";
    private readonly IMeterStore _store;
    private readonly AuditSettings _settings;
    private readonly TimeProvider _clock;
    private readonly ILogger<AuditorService> _logger;
    private readonly AuditWalk _walk;
    private readonly Counter<long> _checks;
    private readonly AlertingCounter _mismatches;
    private readonly Counter<long> _repairs;

    public AuditorService(
        IMeterStore store, AuditSettings settings, TimeProvider clock, IMeterFactory meters, ILogger<AuditorService> logger)
    {
        (_store, _settings, _clock, _logger) = (store, settings, clock, logger);
        _walk = new AuditWalk(store, RandomNumberGenerator.GetInt32, settings.PageRecords);
        var meter = meters.Create(ServiceTelemetry.Prefix + "Auditing");
        _checks = meter.CreateCounter<long>("counters_audited", description: "Counters recounted from the ledger, by outcome.");
        _mismatches = new AlertingCounter(meter, "counter_audit_mismatches", "Counters that were not what the ledger says.");
        _repairs = meter.CreateCounter<long>("counter_audit_repairs", description: "Counters that the auditor had counted anew.");
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_settings.CountersPerMinute == 0)
            return;
        using var timer = new PeriodicTimer(TimeSpan.FromMinutes(1) / _settings.CountersPerMinute, _clock);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            try
            {
                if (await _walk.NextAsync(stoppingToken).ConfigureAwait(false) is { } audited)
                    await NoteAsync(audited, stoppingToken).ConfigureAwait(false);
            }
            catch (Exception problem) when (problem.IsOfThePiece(stoppingToken))
            {
                LogAuditFailed(_logger, problem);
            }
        }
    }

    private async Task NoteAsync(AuditedCounter audited, CancellationToken cancellation)
    {
        var (outcome, row, recounted) = audited.Result;
        _checks.Add(1, new KeyValuePair<string, object?>("outcome", outcome.ToString().ToLowerInvariant()));
        if (outcome != AuditOutcome.Differs)
            return;
        _mismatches.Add(1);
        var (key, projected, counted) = (row.Counter.Key, row.Counter, recounted);
        LogMismatch(
            _logger, audited.Tenant.Value, key.Metric, PersonalData.Pseudonym(key.Customer), key.PeriodStart, row.Shard, row.LogId,
            projected.Version, projected.Aggregates with { LastKey = "" }, counted.Version, counted.Aggregates with { LastKey = "" });
        if (!_settings.Repair)
            return;
        // One repair per state of the counter: should it come to nothing, the next one needs another state.
        var version = row.Counter.Version;
        var repair = ControlRecords.CounterRepaired(
            FormattableString.Invariant($"audit-{version.RecutPosition}-{version.Position}"), row.Counter.Key.Metric,
            row.Counter.Key.Customer, row.Counter.Key.PeriodStart, Actor, Instant.Of(_clock.GetUtcNow()));
        await new ControlAppender(_store.Of(audited.Tenant).Ledger).AppendAsync([repair], cancellation).ConfigureAwait(false);
        _repairs.Add(1);
    }

    [LoggerMessage(241, LogLevel.Error, "A counter of tenant {Tenant}, metric {Metric}, customer {Customer}, period {PeriodStart} is not what the ledger says. Shard {Shard}, log {LogId}; projected {ProjectedVersion} {Projected}; the ledger has {RecountedVersion} {Recounted}")]
    private static partial void LogMismatch(
        ILogger logger, string tenant, string metric, string customer, Instant periodStart, int shard, string logId,
        Metering.Counting.CounterVersion projectedVersion, Metering.Counting.Aggregates projected,
        Metering.Counting.CounterVersion recountedVersion, Metering.Counting.Aggregates recounted);

    [LoggerMessage(242, LogLevel.Warning, "A counter could not be audited; the walk goes on")]
    private static partial void LogAuditFailed(ILogger logger, Exception problem);
}
