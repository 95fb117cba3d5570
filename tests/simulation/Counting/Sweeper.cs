using StripeMeter.Kits.Simulated.Database;
using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Simulation.Counting;

/// <summary>Sweeps again and again, until it is told to rest. What a sweep remembers is lost when it crashes.</summary>
internal sealed class Sweeper(SimulatedNetwork network, SimulatedDatabase database, Folders folders, CatchUpOptions options)
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
        var work = new SimulatedStore(database, process, network.Scheduler.Clock).Work;
        var sweep = new CatchUpSweep(work, (shard, _) => folders.CatchUpAsync(process, shard), network.Scheduler.Clock, options);
        while (process.IsAlive && !MayRest())
        {
            try
            {
                await sweep.SweepAsync(CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception failure) when (IsPassing(failure))
            {
                // The next sweep tries again.
            }

            await network.PauseAsync(process, Cadence).ConfigureAwait(false);
        }

        Rests = process.IsAlive;
    }

    private static bool IsPassing(Exception failure) => failure switch
    {
        AggregateException several => several.InnerExceptions.All(IsPassing),
        _ => failure is StoreUnavailableException or CallLostException,
    };
}
