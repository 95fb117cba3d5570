using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Pushing;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Kits.Simulated.Database;

/// <summary>
/// A replica set with single-document atomicity, as MongoDB is one: a primary that applies writes in order, a majority
/// that follows it, and elections that take back what only the primary had. Unique indexes and guards look at the primary;
/// reads look at the majority. A write is answered once the majority holds it, or its caller is told that nothing is known.
/// </summary>
public sealed class SimulatedDatabase(SimulatedNetwork network, DatabaseRules rules, int newTenantShards)
{
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);

    private readonly Queue<(TenantId Tenant, Action<TenantState> Apply)> _unreplicated = new();
    private readonly Queue<(long Write, Action Durable, Action RolledBack)> _waiting = new();
    private readonly Dictionary<TenantId, TenantState> _majority = [];
    private Dictionary<TenantId, TenantState> _primary = [];
    private long _applied;
    private long _replicated;
    private int _life;

    /// <summary>Owner of what is no tenant's.</summary>
    internal static TenantId Nobody => default;

    /// <summary>Whether an election now would take something back.</summary>
    public bool HasUnreplicatedWrites => _unreplicated.Count > 0;

    /// <summary>Whether anything is projected.</summary>
    public bool HasRows => _majority.Values.Any(tenant => tenant.Rows.Count > 0);

    /// <summary>Whether every shard is projected to its head.</summary>
    public bool IsProjected => _majority.Keys.All(tenant => WorkOf(tenant).All(
        work => work.Progress == new ShardProgress(work.Head.LogId, work.Head.Position)));

    /// <summary>Whether nothing is left to be counted anew.</summary>
    public bool IsRecounted => _majority.Values.All(tenant => tenant.Recounts.Count == 0);

    /// <summary>Whether anybody keeps documents of a kind.</summary>
    public bool HasDocuments(DocumentKind kind) => _majority.Values.Any(tenant => tenant.Documents.Keys.Any(key => key.Kind == kind));

    /// <summary>Tenants that have something.</summary>
    public IReadOnlyCollection<TenantId> KnownTenants => [.. _majority.Keys.Where(tenant => tenant != Nobody)];

    internal DatabaseRules Rules => rules;

    internal SimulatedNetwork Network => network;

    internal Tally Tally => network.Dice.Tally;

    internal int NewTenantShards => newTenantShards;

    /// <summary>Everything in the log of a tenant, by shard and position.</summary>
    public IEnumerable<(int Shard, long Position, LedgerRecord Record)> RecordsOf(TenantId tenant) =>
        MajorityOf(tenant).Records.Values.OrderBy(placed => placed.Shard).ThenBy(placed => placed.Position)
            .Select(placed => (placed.Shard, placed.Position, placed.Record));

    /// <summary>What stands under a key, durably.</summary>
    public LedgerRecord? RecordOf(TenantId tenant, RecordKey key) =>
        MajorityOf(tenant).Records.TryGetValue(key, out var placed) ? placed.Record : null;

    public IEnumerable<CounterRow> RowsOf(TenantId tenant) => MajorityOf(tenant).Rows.Values.Select(stored => stored.Row);

    /// <summary>The delta documents of a tenant, durably.</summary>
    public IReadOnlyCollection<DeltaDocument> DeltasOf(TenantId tenant) => MajorityOf(tenant).Deltas.Values;

    /// <summary>The history of all delta documents of a tenant, in the order of closing within each.</summary>
    public IEnumerable<ClosedIntent> ClosedIntentsOf(TenantId tenant) =>
        MajorityOf(tenant).ClosedIntents.Values.OrderBy(closed => closed.Intent.Closing);

    /// <summary>How far every shard of a tenant is written and projected.</summary>
    public IEnumerable<(int Shard, ShardHead Head, ShardProgress Progress)> WorkOf(TenantId tenant)
    {
        var state = MajorityOf(tenant);
        return state.Shards.OrderBy(shard => shard.Key)
            .Select(shard => (shard.Key, shard.Value.Head, state.Progress.GetValueOrDefault(shard.Key, ShardProgress.None)));
    }

    /// <summary>Another primary is elected: it has only what a majority held.</summary>
    public void Elect()
    {
        _unreplicated.Clear();
        _applied = _replicated;
        _primary = _majority.ToDictionary(tenant => tenant.Key, tenant => tenant.Value.Copy());
        while (_waiting.TryDequeue(out var waiting))
            waiting.RolledBack();
    }

    /// <summary>Deletes counters and progress of all tenants. What had been sent before never arrives.</summary>
    public void DeleteProjections()
    {
        Elect();
        _life++;
        foreach (var tenant in _primary.Values.Concat(_majority.Values))
        {
            tenant.Rows.Clear();
            tenant.Progress.Clear();
        }
    }

    internal TenantState PrimaryOf(TenantId tenant) => StateOf(_primary, tenant);

    internal TenantState MajorityOf(TenantId tenant) => StateOf(_majority, tenant);

    /// <summary>Applies one document's change to the primary; the majority follows.</summary>
    internal void Apply(TenantId tenant, Action<TenantState> change)
    {
        change(PrimaryOf(tenant));
        _unreplicated.Enqueue((tenant, change));
        _applied++;
        if (_unreplicated.Count == 1)
            network.Scheduler.Post(Replicate);
    }

    internal Task<T> ReadAsync<T>(SimulatedProcess caller, TenantId tenant, Func<TenantState, T> read)
    {
        var answer = new TaskCompletionSource<T>();
        network.Scheduler.Post(() =>
        {
            if (network.Dice.Strikes(Fault.ReadRefused))
            {
                Refuse(caller, answer);
                return;
            }

            var result = read(rules.MajorityReads ? MajorityOf(tenant) : PrimaryOf(tenant));
            network.Answer(caller, () => answer.SetResult(result));
        });
        return answer.Task;
    }

    /// <summary>Carries out a write that calls <see cref="Apply"/> for what it changes.</summary>
    /// <param name="caller">Who writes.</param>
    /// <param name="write">The write.</param>
    /// <param name="refusalWaits">
    /// Whether a write that changes nothing is answered only once the majority holds what it met, as mongod does it.
    /// </param>
    internal Task<T> WriteAsync<T>(SimulatedProcess caller, Func<T> write, bool refusalWaits = true)
    {
        var answer = new TaskCompletionSource<T>();
        var life = _life;
        if (network.Dice.Strikes(Fault.WriteSlow))
            network.Scheduler.PostAfter(network.Dice.Delay(LongestDelay), Arrive);
        else
            network.Scheduler.Post(Arrive);
        return answer.Task;

        void Arrive()
        {
            if (life != _life || network.Dice.Strikes(Fault.WriteRefused))
            {
                Refuse(caller, answer);
            }
            else if (network.Dice.Strikes(Fault.WriteLandsLate))
            {
                Refuse(caller, answer);
                network.Scheduler.PostAfter(network.Dice.Delay(LongestDelay), LandLate);
            }
            else
            {
                Carry(caller, write, refusalWaits, answer);
            }
        }

        void LandLate()
        {
            if (life == _life)
                write();
        }
    }

    /// <summary>Some items of a write are applied, and its caller is told that it failed.</summary>
    internal async Task<TResult> TearAsync<TItem, TResult>(
        IEnumerable<TItem> items, Func<IReadOnlyList<TItem>, Task<TResult>> write)
    {
        await write([.. items.Where(_ => network.Dice.Next(2) == 0)]).ConfigureAwait(false);
        throw new StoreUnavailableException("Some of it may be written.");
    }

    private void Carry<T>(SimulatedProcess caller, Func<T> write, bool refusalWaits, TaskCompletionSource<T> answer)
    {
        var before = _applied;
        var result = write();
        if (network.Dice.Strikes(Fault.WriteAnswerLost))
            Refuse(caller, answer);
        else if ((_applied == before && !refusalWaits) || !rules.MajorityWrites || _replicated >= _applied)
            network.Answer(caller, () => answer.SetResult(result));
        else
            _waiting.Enqueue((_applied, () => network.Answer(caller, () => answer.SetResult(result)), () => Refuse(caller, answer)));
    }

    /// <summary>The majority takes over some of what the primary has, in order.</summary>
    private void Replicate()
    {
        var writes = 1 + network.Dice.Next(_unreplicated.Count + 1);
        while (writes-- > 0 && _unreplicated.TryDequeue(out var write))
        {
            write.Apply(MajorityOf(write.Tenant));
            _replicated++;
        }

        while (_waiting.TryPeek(out var waiting) && waiting.Write <= _replicated)
            _waiting.Dequeue().Durable();
        if (_unreplicated.Count > 0)
            network.Scheduler.Post(Replicate);
    }

    private void Refuse<T>(SimulatedProcess caller, TaskCompletionSource<T> answer) => network.Answer(
        caller, () => answer.TrySetException(new StoreUnavailableException("Nothing is known of the write or read.")));

    private static TenantState StateOf(Dictionary<TenantId, TenantState> states, TenantId tenant)
    {
        if (!states.TryGetValue(tenant, out var state))
            states.Add(tenant, state = new TenantState());
        return state;
    }
}
