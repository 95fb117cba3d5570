using StripeMeter.Kits.Simulated.Database;
using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Backfilling;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Simulation.Counting;

/// <summary>
/// Sweep again and again, for shards that stay behind, counters to count anew and backfills to append, until they are told to
/// rest: one, or several at once. What a sweep remembers is lost when it crashes.
/// </summary>
internal sealed class Sweeper(
    SimulatedNetwork network, SimulatedDatabase database, Folders folders, CatchUpOptions options, RecountOptions recounting,
    BackfillOptions backfilling)
{
    private const int MostAtOnce = 3;
    private const int MostTenants = 10;

    private static readonly TimeSpan Cadence = TimeSpan.FromSeconds(1);

    private readonly List<SimulatedProcess> _processes = [];
    private bool _hasBackfills = true;

    /// <summary>Asked after each sweep.</summary>
    public Func<bool> MayRest { get; set; } = () => false;

    public bool Rests { get; private set; }

    public bool HasRoom => _processes.Count < MostAtOnce;

    public void Start()
    {
        var process = new SimulatedProcess();
        _processes.Add(process);
        network.Scheduler.Post(() => _ = RunAsync(process));
    }

    public void CrashOne()
    {
        var process = _processes[network.Dice.Next(_processes.Count)];
        _processes.Remove(process);
        process.Crash();
        if (_processes.Count == 0)
            Start();
    }

    /// <summary>Crashes all and starts one.</summary>
    public void CrashAll()
    {
        while (_processes.Count > 1)
            CrashOne();
        CrashOne();
    }

    private async Task RunAsync(SimulatedProcess process)
    {
        var store = new SimulatedStore(database, process, network.Scheduler.Clock);
        var sweep = new CatchUpSweep(store.Work, (shard, _) => folders.CatchUpAsync(process, shard), network.Scheduler.Clock, options);
        var recounts = new RecountSweep(store, (shard, recount, _) => folders.InstallAsync(process, shard, recount), recounting);
        // What was decided while a sweep was under way, only the next one finds.
        var mightRest = false;
        while (process.IsAlive && !(mightRest && !_hasBackfills && MayRest()))
        {
            mightRest = MayRest();
            await TryAsync(sweep.SweepAsync(CancellationToken.None)).ConfigureAwait(false);
            await TryAsync(recounts.SweepAsync(CancellationToken.None)).ConfigureAwait(false);
            await TryAsync(AppendBackfillsAsync(store)).ConfigureAwait(false);
            await network.PauseAsync(process, Cadence).ConfigureAwait(false);
        }

        Rests = process.IsAlive;
    }

    /// <summary>As <see cref="BackfillSweep"/> does it, but one after the other. Nobody is told what is appended: it is found.</summary>
    private async Task AppendBackfillsAsync(SimulatedStore store)
    {
        var hasMore = false;
        _hasBackfills = true;
        var tenants = await store.Work.TenantsWithDocumentsAsync(DocumentKind.BackfillWork, null, MostTenants, CancellationToken.None)
            .ConfigureAwait(false);
        foreach (var tenant in tenants.Select(store.Of))
        {
            var runner = new BackfillRunner(tenant, network.Scheduler.Clock, backfilling, (_, _) => { });
            var named = await tenant.Documents.ListAsync(new DocumentQuery(DocumentKind.BackfillWork), CancellationToken.None).ConfigureAwait(false);
            foreach (var work in named)
                hasMore |= await runner.RunAsync(work.Id, backfilling.TurnSteps, CancellationToken.None).ConfigureAwait(false);
        }

        // A name that was written late may stay for ever, with nothing decided under it.
        _hasBackfills = hasMore;
    }

    private static async Task TryAsync(Task sweep)
    {
        try
        {
            await sweep.ConfigureAwait(false);
        }
        catch (Exception failure) when (IsPassing(failure))
        {
            // The next sweep tries again.
        }
    }

    private static bool IsPassing(Exception failure) => failure switch
    {
        AggregateException several => several.InnerExceptions.All(IsPassing),
        _ => failure is StoreUnavailableException or CallLostException,
    };
}
