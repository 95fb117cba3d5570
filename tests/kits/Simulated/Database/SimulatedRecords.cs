using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Kits.Simulated.Database;

/// <summary>The single-document operations of one tenant, as one process calls them.</summary>
internal sealed class SimulatedRecords(SimulatedDatabase database, TenantId tenant, SimulatedProcess process) : IPositionedRecords
{
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);

    public Task<IReadOnlyDictionary<RecordKey, KnownRecord>> FindAsync(
        IReadOnlyCollection<RecordKey> keys, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyDictionary<RecordKey, KnownRecord>>(process, tenant, state =>
        {
            var found = new Dictionary<RecordKey, KnownRecord>(keys.Count);
            foreach (var key in keys)
            {
                if (state.Records.TryGetValue(key, out var placed))
                    found[key] = new KnownRecord(placed.Shard, placed.Position, placed.Record.Fingerprint, placed.Record.Late);
            }

            return found;
        });

    public Task<long> ReserveAsync(int shard, int count, CancellationToken cancellation) => database.WriteAsync(process, () =>
    {
        var head = database.PrimaryOf(tenant).HeadOf(shard);
        var logId = head.LogId.Length > 0 ? head.LogId : FormattableString.Invariant($"{tenant}/{shard}");
        var raised = head with { LogId = logId, Position = head.Position + count };
        database.Apply(tenant, state => state.SetHead(shard, raised));
        return head.Position + 1;
    });

    public async Task<IReadOnlyList<InsertOutcome>> InsertAsync(
        int shard, IReadOnlyList<PositionedRecord> records, CancellationToken cancellation)
    {
        var outcomes = new InsertOutcome[records.Count];
        try
        {
            if (records.Count > 1 && database.Network.Dice.Strikes(Fault.WriteTorn))
                return await InsertTornAsync(shard, records, outcomes).ConfigureAwait(false);
            // A clash is answered at once: the protocol reads back what it clashed with, and must not rest on the answer.
            return await database.WriteAsync(process, () => Insert(shard, records, outcomes), refusalWaits: false).ConfigureAwait(false);
        }
        catch (StoreUnavailableException) when (database.Network.Dice.Next(2) == 0)
        {
            // A driver may also say of each record what it knows: clashes for certain, the rest not.
            return Array.ConvertAll(outcomes, outcome => outcome == InsertOutcome.Inserted ? InsertOutcome.Unknown : outcome);
        }
    }

    public Task NoteDisplacementAsync(int shard, CancellationToken cancellation) => database.WriteAsync(process, () =>
    {
        var head = database.PrimaryOf(tenant).HeadOf(shard);
        database.Apply(tenant, state => state.SetHead(shard, state.HeadOf(shard) with { Displacements = head.Displacements + 1 }));
        return true;
    });

    /// <summary>Some records are applied now; the others later, or never. The answer knows nothing.</summary>
    private async Task<IReadOnlyList<InsertOutcome>> InsertTornAsync(
        int shard, IReadOnlyList<PositionedRecord> records, InsertOutcome[] outcomes)
    {
        var (dice, scheduler) = (database.Network.Dice, database.Network.Scheduler);
        var applied = records.Where(_ => dice.Next(2) == 0).ToArray();
        await database.WriteAsync(process, () => Insert(shard, applied, new InsertOutcome[applied.Length])).ConfigureAwait(false);
        if (dice.Next(2) == 0)
        {
            var rest = records.Except(applied).ToArray();
            scheduler.PostAfter(dice.Delay(LongestDelay), () => Insert(shard, rest, new InsertOutcome[rest.Length]));
        }

        Array.Fill(outcomes, InsertOutcome.Unknown);
        return outcomes;
    }

    private InsertOutcome[] Insert(int shard, IReadOnlyList<PositionedRecord> records, InsertOutcome[] outcomes)
    {
        for (var index = 0; index < records.Count; index++)
            outcomes[index] = Insert(shard, records[index]);
        return outcomes;
    }

    private InsertOutcome Insert(int shard, PositionedRecord placed)
    {
        var state = database.PrimaryOf(tenant);
        var key = new RecordKey(placed.Record.Space, placed.Record.Key);
        if (database.Rules.UniqueKeys && state.Records.ContainsKey(key))
        {
            if (key.Space == KeySpace.Client)
                NoteKeyRace(key);
            return InsertOutcome.KeyTaken;
        }

        if (database.Rules.UniquePositions && state.Shards.TryGetValue(shard, out var log) && log.At(placed.Position) is { } standing)
        {
            if (standing.Kind == RecordKind.Junk && placed.Record.Kind == RecordKind.Event)
                database.Tally.Note(Situation.WriterDisplaced);
            return InsertOutcome.PositionTaken;
        }

        database.Apply(tenant, each => each.Insert(shard, placed));
        return InsertOutcome.Inserted;
    }

    private void NoteKeyRace(RecordKey key)
    {
        database.Tally.Note(Situation.KeyRaceLost);
        if (!database.MajorityOf(tenant).Records.ContainsKey(key))
            database.Tally.Note(Situation.KeyRaceUndecided);
    }
}
