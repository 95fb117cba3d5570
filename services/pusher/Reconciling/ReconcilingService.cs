using StripeMeter.Defaults.Telemetry;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Reconciling;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.Metering.Work;
using StripeMeter.Pusher.StripeApi;
using StripeMeter.Pusher.Waking;

namespace StripeMeter.Pusher.Reconciling;

/// <summary>
/// Makes runs: one a tenant with each turn of the cadence, and those that were asked for. A run is claimed by
/// compare-and-set, so of several pushers one makes it, and another one if that ends.
/// </summary>
internal sealed partial class ReconcilingService(
    IMeterStore store, BudgetedSummaries summaries, StripeAccounts accounts, PushProtocol protocol, ReconciliationOptions options,
    ReconciliationInstruments instruments, TimeProvider clock, ILogger<ReconcilingService> logger) : BackgroundService
{
    private const string InVain = "Stripe answered for none of the periods, or the read budget is used up.";
    private static readonly TimeSpan RenewAfter = ReconciliationRuns.Lease / 4;
    private readonly WakeSignal _signal = new(clock);
    private readonly ReconciliationRules _rules = options.ToRules();
    private long _turn = long.MinValue;

    private Instant Now => Instant.Of(clock.GetUtcNow());

    /// <summary>A run was asked for.</summary>
    public void Wake() => _signal.Wake();

    public ReconciliationRuns RunsOf(ITenantStore tenant) => new(tenant.Documents, _rules, clock);

    public ReconciliationBook BookOf(ITenantStore tenant) => new(tenant.Documents, _rules);

    public override void Dispose()
    {
        base.Dispose();
        _signal.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!accounts.IsConfigured)
            return;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ScheduleAsync(stoppingToken).ConfigureAwait(false);
                await MakeRunsAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (Exception problem) when (problem.IsOfThePiece(stoppingToken))
            {
                LogRoundFailed(logger, problem);
            }

            await _signal.WaitAsync(TimeSpan.Zero, options.LookInterval, stoppingToken).ConfigureAwait(false);
        }
    }

    /// <summary>Whoever has mappings, or was compared before, has a run with each turn.</summary>
    private async Task ScheduleAsync(CancellationToken cancellation)
    {
        var turn = Now.Ticks / options.Interval.Ticks;
        if (turn == _turn)
            return;
        await foreach (var tenant in AllAsync(store.Work.TenantsWithMappingsAsync, cancellation).ConfigureAwait(false))
            await RunsOf(store.Of(tenant)).ScheduleAsync(options.Interval, cancellation).ConfigureAwait(false);
        await foreach (var tenant in AllAsync(
            (after, limit, token) => store.Work.TenantsWithDocumentsAsync(DocumentKind.ReconciliationReport, after, limit, token), cancellation).ConfigureAwait(false))
        {
            await RunsOf(store.Of(tenant)).ScheduleAsync(options.Interval, cancellation).ConfigureAwait(false);
        }

        _turn = turn;
    }

    private async Task MakeRunsAsync(CancellationToken cancellation)
    {
        await foreach (var tenant in AllAsync(
            (after, limit, token) => store.Work.TenantsWithDocumentsAsync(DocumentKind.ReconciliationWork, after, limit, token), cancellation).ConfigureAwait(false))
        {
            var runs = RunsOf(store.Of(tenant));
            while (await runs.ClaimAsync(cancellation).ConfigureAwait(false) is { } run)
                await MakeAsync(store.Of(tenant), runs, run, cancellation).ConfigureAwait(false);
        }
    }

    private async Task MakeAsync(ITenantStore tenant, ReconciliationRuns runs, ReconciliationRun run, CancellationToken cancellation)
    {
        var started = clock.GetTimestamp();
        var renewed = started;
        try
        {
            var reconciler = new Reconciler(tenant, summaries, protocol, _rules, clock);
            var tally = await reconciler.RunAsync(run.IsFull, IsReachableAsync, NoteAsync, cancellation).ConfigureAwait(false);
            run = run with { State = tally.IsInVain ? RunState.Failed : RunState.Completed, Tally = tally, Problem = tally.IsInVain ? InVain : "" };
            if (tally.IsInVain)
                LogReadNothing(logger, tenant.Tenant.Value, run.Id, tally.Unanswered);
        }
        catch (Exception problem) when (problem.IsOfThePiece(cancellation))
        {
            LogRunFailed(logger, problem, tenant.Tenant.Value, run.Id);
            run = run with { State = RunState.Failed, Problem = problem.Message };
        }

        instruments.Ran(run.State, clock.GetElapsedTime(started));
        await runs.EnterAsync(run with { Ended = Now }, cancellation).ConfigureAwait(false);

        // Those of other keys, such as a double that was used before, are left as they are.
        async ValueTask<bool> IsReachableAsync(DeltaKey key) => await accounts.OfAsync(key, cancellation).ConfigureAwait(false) is not null;

        async Task NoteAsync(RunTally tally, ReconciliationReport? report)
        {
            if (report is not null)
                Show(tenant.Tenant, report);
            if (clock.GetElapsedTime(renewed) < RenewAfter)
                return;
            renewed = clock.GetTimestamp();
            await runs.EnterAsync(run with { Tally = tally }, cancellation).ConfigureAwait(false);
        }
    }

    private void Show(TenantId tenant, ReconciliationReport report)
    {
        instruments.Show(tenant, report);
        if (report.Reason is not (DriftReason.None or DriftReason.SummariesLag))
            LogDiffers(logger, tenant.Value, PersonalData.Pseudonym(report.Key.StripeCustomer), report.Key.MeterId, report.Period.Start, report.Drift, report.Reason);
    }

    private async IAsyncEnumerable<TenantId> AllAsync(
        Func<TenantId?, int, CancellationToken, Task<IReadOnlyList<TenantId>>> page,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        TenantId? after = null;
        while (true)
        {
            var tenants = await page(after, options.TenantPage, cancellation).ConfigureAwait(false);
            foreach (var tenant in tenants)
                yield return tenant;
            if (tenants.Count < options.TenantPage)
                yield break;
            after = tenants[^1];
        }
    }

    [LoggerMessage(341, LogLevel.Warning, "Runs could not be looked for; the next round tries again")]
    private static partial void LogRoundFailed(ILogger logger, Exception problem);

    [LoggerMessage(342, LogLevel.Warning, "Comparing {Tenant} with Stripe failed in run {Run}")]
    private static partial void LogRunFailed(ILogger logger, Exception problem, string tenant, string run);

    [LoggerMessage(343, LogLevel.Warning, "Comparing {Tenant} with Stripe read nothing in run {Run}: no answer for any of {Periods} periods")]
    private static partial void LogReadNothing(ILogger logger, string tenant, string run, int periods);

    [LoggerMessage(344, LogLevel.Warning, "{Tenant}: Stripe has {Drift} more than it took of {StripeCustomer} on {MeterId} from {Start}: {Reason}")]
    private static partial void LogDiffers(
        ILogger logger, string tenant, string stripeCustomer, string meterId, Instant start, Quantity drift, DriftReason reason);
}
