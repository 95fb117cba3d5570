using StripeMeter.Kits.Simulated.Actors;
using StripeMeter.Kits.Simulated.Database;
using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Ledger;

namespace StripeMeter.Simulation.Counting;

/// <summary>
/// The activations of all shards. A shard is activated when it is called, and may be activated twice: then calls go to
/// either. An activation takes one turn at a time.
/// </summary>
internal sealed class Folders(SimulatedNetwork network, SimulatedDatabase database, CountingVariant variant, FoldOptions options)
{
    private readonly Dictionary<ShardId, List<Activation>> _active = [];
    private readonly Dictionary<ShardId, SimulatedActorState> _states = [];

    public Task<FoldResult> FoldAsync(SimulatedProcess caller, ShardId shard, IReadOnlyList<RecordRange> ranges) =>
        TurnAsync(caller, shard, folder => folder.FoldAsync(ranges, CancellationToken.None));

    public Task<FoldResult> CatchUpAsync(SimulatedProcess caller, ShardId shard) =>
        variant.CatchesUp
            ? TurnAsync(caller, shard, folder => folder.CatchUpAsync(CancellationToken.None))
            : Task.FromResult(default(FoldResult));

    public async Task<InstallResult> InstallAsync(SimulatedProcess caller, ShardId shard, Recount recount)
    {
        var result = await TurnAsync(caller, shard, folder => folder.InstallAsync(recount, CancellationToken.None)).ConfigureAwait(false);
        network.Dice.Tally.Note(result.Outcome switch
        {
            InstallOutcome.Installed => Situation.RecountInstalled,
            InstallOutcome.Follow => Situation.RecountFollowed,
            _ => Situation.RecountStartedAgain,
        });
        return result;
    }

    /// <summary>Reads counters through an activation that knows nothing yet.</summary>
    public Task<Counter?> ReadAnewAsync(ShardId shard, CounterKey key) =>
        Activate(shard).Folder.ReadAsync(key.Metric, key.Customer, key.PeriodStart, CancellationToken.None);

    public bool HasActive => _active.Values.Any(activations => activations.Count > 0);

    public void CrashOne()
    {
        var shards = _active.Where(shard => shard.Value.Count > 0).ToArray();
        var activations = shards[network.Dice.Next(shards.Length)].Value;
        var activation = activations[network.Dice.Next(activations.Count)];
        activations.Remove(activation);
        activation.Process.Crash();
    }

    public void CrashAll()
    {
        while (HasActive)
            CrashOne();
    }

    /// <summary>Activates a shard that is active elsewhere, if there is one.</summary>
    public void ActivateAgain()
    {
        var shards = _active.Where(shard => shard.Value.Count > 0).ToArray();
        var (shard, activations) = shards[network.Dice.Next(shards.Length)];
        activations.Add(Activate(shard));
    }

    public bool HasStateToLose => _states.Values.Any(state => state.HasHistory);

    public void LoseState()
    {
        var states = _states.Values.Where(state => state.HasHistory).ToArray();
        states[network.Dice.Next(states.Length)].FallBack();
    }

    private Task<T> TurnAsync<T>(SimulatedProcess caller, ShardId shard, Func<ShardFolder, Task<T>> turn)
    {
        if (!_active.TryGetValue(shard, out var activations))
            _active.Add(shard, activations = []);
        if (activations.Count == 0)
            activations.Add(Activate(shard));
        var activation = activations[network.Dice.Next(activations.Count)];
        return network.CallAsync(caller, activation.Process, () => activation.TurnAsync(turn));
    }

    private Activation Activate(ShardId shard)
    {
        if (!_states.TryGetValue(shard, out var stored))
            _states.Add(shard, stored = new SimulatedActorState(network));
        var process = new SimulatedProcess();
        var tenant = new SimulatedStore(database, process, network.Scheduler.Clock).Of(shard.Tenant);
        var state = stored.Of(process);
        return new Activation(process, new ShardFolder(
            shard.Shard, variant.Ledger(tenant.Ledger), variant.Projection(tenant.Projection, state), state,
            network.Scheduler.Clock, options));
    }

    private sealed class Activation(SimulatedProcess process, ShardFolder folder)
    {
        private Task _lastTurn = Task.CompletedTask;

        public SimulatedProcess Process => process;

        public ShardFolder Folder => folder;

        public Task<T> TurnAsync<T>(Func<ShardFolder, Task<T>> turn)
        {
            var next = AfterAsync(_lastTurn, turn);
            _lastTurn = next;
            return next;
        }

        private async Task<T> AfterAsync<T>(Task before, Func<ShardFolder, Task<T>> turn)
        {
            await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return await turn(folder).ConfigureAwait(false);
        }
    }
}
