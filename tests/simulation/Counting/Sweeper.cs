using StripeMeter.Kits.Simulated.Database;
using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Simulation.Counting;

/// <summary>Sweeps again and again, for shards that stay behind and for counters to count anew, until it is told to rest. What a sweep remembers is lost when it crashes.</summary>
internal sealed class Sweeper(
    SimulatedNetwork network, SimulatedDatabase database, Folders folders, CatchUpOptions options, RecountOptions recounting)
{
    private static readonly TimeSpan Cadence = TimeSpan.FromSeconds(1);

    private SimulatedProcess _process = new();

    /// <summary>Asked after each sweep.</summary>
    public Func<bool> MayRest { get; set; } = () => false;

    public bool Rests { get; private set; }

    public void Start()
    {
        var process = _process;
        network.Scheduler.Post(() => _ = RunAsync(process));
    }

    public void Crash()
    {
        _process.Crash();
        _process = new SimulatedProcess();
        Start();
    }

    private async Task RunAsync(SimulatedProcess process)
    {
        var store = new SimulatedStore(database, process, network.Scheduler.Clock);
        var sweep = new CatchUpSweep(store.Work, (shard, _) => folders.CatchUpAsync(process, shard), network.Scheduler.Clock, options);
        var recounts = new RecountSweep(store, (shard, recount, _) => folders.InstallAsync(process, shard, recount), recounting);
        while (process.IsAlive && !MayRest())
        {
            await TryAsync(sweep.SweepAsync(CancellationToken.None)).ConfigureAwait(false);
            await TryAsync(recounts.SweepAsync(CancellationToken.None)).ConfigureAwait(false);
            await network.PauseAsync(process, Cadence).ConfigureAwait(false);
        }

        Rests = process.IsAlive;
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
