using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Simulation.Stripe;

/// <summary>A process that does the same again and again. It may crash between any two steps, and another takes its place.</summary>
/// <param name="network">Where it lives.</param>
/// <param name="round">What it does, with its process and its clock.</param>
/// <param name="pause">How long it rests between two rounds.</param>
internal sealed class Worker(SimulatedNetwork network, Func<SimulatedProcess, TimeProvider, Task> round, Func<TimeSpan> pause)
{
    // Machines keep their clocks this well; the rules leave more room than twice that.
    private const int LongestSkewSeconds = 90;

    private SimulatedProcess _process = new();

    /// <summary>What ended a round and is no fault of the simulation's.</summary>
    public Exception? Failure { get; private set; }

    public void Start()
    {
        var process = _process;
        var skew = network.Dice.Strikes(Fault.ClockSkewed) ? network.Dice.Next(2 * LongestSkewSeconds) - LongestSkewSeconds : 0;
        var clock = network.Scheduler.Clock.Skewed(TimeSpan.FromSeconds(skew));
        network.Scheduler.Post(() => _ = RunAsync(process, clock));
    }

    public void Crash()
    {
        _process.Crash();
        _process = new SimulatedProcess();
        Start();
    }

    private async Task RunAsync(SimulatedProcess process, TimeProvider clock)
    {
        while (process.IsAlive)
        {
            try
            {
                await round(process, clock).ConfigureAwait(false);
            }
            catch (StoreUnavailableException)
            {
                // The next round tries again.
            }
            catch (Exception failure)
            {
                Failure = failure;
                return;
            }

            await network.PauseAsync(process, pause()).ConfigureAwait(false);
        }
    }
}
