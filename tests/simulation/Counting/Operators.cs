using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Simulation.Counting;

/// <summary>People who have control records appended, one after the other and at their leisure, each until it is answered.</summary>
internal sealed class Operators(SimulatedNetwork network, Writers writers)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(8);

    private readonly SimulatedProcess _process = new();

    public bool AreDone { get; private set; }

    public void Start(IReadOnlyList<ControlWish> wishes) => network.Scheduler.Post(() => _ = RunAsync(wishes));

    private async Task RunAsync(IReadOnlyList<ControlWish> wishes)
    {
        foreach (var wish in wishes)
        {
            do
            {
                await network.PauseAsync(_process, network.Dice.Delay(LongestPause)).ConfigureAwait(false);
            }
            while (!await TryAsync(wish).ConfigureAwait(false));
        }

        AreDone = true;
    }

    private async Task<bool> TryAsync(ControlWish wish)
    {
        try
        {
            return await writers.ControlAsync(_process, wish).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is CallLostException or StoreUnavailableException)
        {
            return false;
        }
    }
}
