using StripeMeter.Kits.Simulated.Database;
using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Simulation.Counting;

/// <summary>
/// Clients that send batches one after the other and send again what was not answered, as it was or event by event. While
/// there are faults, some give up.
/// </summary>
internal sealed class Clients(SimulatedNetwork network, Writers writers, Answers answers)
{
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(4);

    private readonly SimulatedProcess _process = new();
    private int _running;

    public bool AreDone => _running == 0;

    /// <summary>From now on every client asks until it is answered.</summary>
    public bool MustFinish { get; set; }

    public void Start(IReadOnlyList<IReadOnlyList<Batch>> clients)
    {
        foreach (var batches in clients)
        {
            _running++;
            network.Scheduler.Post(() => _ = RunAsync(batches));
        }
    }

    private async Task RunAsync(IReadOnlyList<Batch> batches)
    {
        foreach (var batch in batches)
            await SendAsync(batch).ConfigureAwait(false);
        _running--;
    }

    private async Task SendAsync(Batch batch)
    {
        while (!await TrySendAsync(batch).ConfigureAwait(false))
        {
            if (!MustFinish && network.Dice.Next(12) == 0)
            {
                answers.GiveUp(batch.Events);
                return;
            }

            await network.PauseAsync(_process, network.Dice.Delay(LongestBackoff)).ConfigureAwait(false);
            if (batch.Events.Count == 1 || network.Dice.Next(4) > 0)
                continue;
            foreach (var each in batch.Events)
                await SendAsync(batch with { Events = [each] }).ConfigureAwait(false);
            return;
        }
    }

    private async Task<bool> TrySendAsync(Batch batch)
    {
        try
        {
            answers.Give(batch.Tenant, batch.Events, await writers.IngestAsync(_process, batch).ConfigureAwait(false));
            return true;
        }
        catch (Exception failure) when (failure is CallLostException or StoreUnavailableException)
        {
            return false;
        }
    }
}
