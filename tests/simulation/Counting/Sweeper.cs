using StripeMeter.Kits.Simulated.Database;
using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Simulation.Counting;

/// <summary>
/// Sweep again and again, for shards that stay behind and for counters to count anew, until they are told to rest: one, or
/// several at once. What a sweep remembers is lost when it crashes.
/// </summary>
internal sealed class Sweeper(
    SimulatedNetwork network, SimulatedDatabase database, Folders folders, CatchUpOptions options, RecountOptions recounting)
{
    private const int MostAtOnce = 3;

    private static readonly TimeSpan Cadence = TimeSpan.FromSeconds(1);

    private readonly List<SimulatedProcess> _processes = [];

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
