using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Threading.Channels;
using StripeMeter.Defaults.Telemetry;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Work;

namespace StripeMeter.Pricing.Simulating;

/// <summary>Computes runs, several at a time. What a full queue, a crash or another replica has left is found by a search.</summary>
internal sealed partial class RunWorker : BackgroundService
{
    private const int QueuedRuns = 1_000;
    private readonly IMeterStore _store;
    private readonly SimulationOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<RunWorker> _logger;
    private readonly Counter<long> _runs;
    private readonly ConcurrentDictionary<RunKey, bool> _taken = [];
    private readonly Channel<RunKey> _queue = Channel.CreateBounded<RunKey>(QueuedRuns);

    public RunWorker(IMeterStore store, SimulationOptions options, TimeProvider clock, IMeterFactory meters, ILogger<RunWorker> logger)
    {
        (_store, _options, _clock, _logger) = (store, options, clock, logger);
        _runs = meters.Create(ServiceTelemetry.Prefix + "Simulating")
            .CreateCounter<long>("simulation_runs", description: "Runs of scenarios that came to their end, by status.");
    }

    /// <summary>Has a run computed soon.</summary>
    public void Offer(TenantId tenant, string id)
    {
        var key = new RunKey(tenant, id);
        if (_taken.TryAdd(key, true) && !_queue.Writer.TryWrite(key))
            _taken.TryRemove(key, out _);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var workers = Enumerable.Range(0, _options.ConcurrentRuns).Select(_ => WorkAsync(stoppingToken)).ToArray();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(_options.SweepIntervalMs), _clock);
        do
        {
            await SweepAsync(stoppingToken).ConfigureAwait(false);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        await Task.WhenAll(workers).ConfigureAwait(false);
    }

    private async Task SweepAsync(CancellationToken cancellation)
    {
        try
        {
            IReadOnlyList<TenantId> tenants = [];
            do
            {
                TenantId? after = tenants.Count > 0 ? tenants[^1] : null;
                tenants = await _store.Work.TenantsWithDocumentsAsync(DocumentKind.SimulationWork, after, _options.Page, cancellation).ConfigureAwait(false);
                foreach (var tenant in tenants)
                {
                    foreach (var id in await BookOf(tenant).UnfinishedAsync(cancellation).ConfigureAwait(false))
                        Offer(tenant, id);
                }
            }
            while (tenants.Count == _options.Page);
        }
        catch (Exception problem) when (problem.IsOfThePiece(cancellation))
        {
            LogSearchFailed(_logger, problem);
        }
    }

    private async Task WorkAsync(CancellationToken stopping)
    {
        await foreach (var key in _queue.Reader.ReadAllAsync(stopping).ConfigureAwait(false))
        {
            try
            {
                if (await BookOf(key.Tenant).FinishAsync(key.Id, stopping).ConfigureAwait(false) is { } run)
                    _runs.Add(1, new KeyValuePair<string, object?>("status", run.Status.ToString().ToLowerInvariant()));
            }
            catch (Exception problem) when (problem.IsOfThePiece(stopping))
            {
                LogRunFailed(_logger, problem, key.Tenant.Value, key.Id);
            }
            finally
            {
                _taken.TryRemove(key, out _);
            }
        }
    }

    private RunBook BookOf(TenantId tenant) => new(_store.Of(tenant), _options, _clock);

    [LoggerMessage(401, LogLevel.Warning, "Runs that wait could not be searched for; the next search tries again")]
    private static partial void LogSearchFailed(ILogger logger, Exception problem);

    [LoggerMessage(402, LogLevel.Warning, "Run {Id} of tenant {Tenant} could not be computed now; the next search finds it again")]
    private static partial void LogRunFailed(ILogger logger, Exception problem, string tenant, string id);

    private readonly record struct RunKey(TenantId Tenant, string Id);
}
