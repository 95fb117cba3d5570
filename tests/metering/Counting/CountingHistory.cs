using StripeMeter.Kits.Reference;
using StripeMeter.Kits.Simulated.Actors;
using StripeMeter.Kits.Simulated.Database;
using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Adjustments;
using StripeMeter.Metering.Auditing;
using StripeMeter.Metering.Backfilling;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Tests.Counting;

/// <summary>One tenant in memory, two activations of each of its shards, and whatever is asked to happen.</summary>
internal sealed partial class CountingHistory
{
    private const int Activations = 2;

    private static readonly TenantId Tenant = new("acme");
    private static readonly FoldOptions Folding = new() { PageRecords = 2, TurnRecords = 4, HeldCounters = 3, PendingRecounts = 3, HeldSessions = 1 };
    private static readonly RecountOptions Recounting = new() { PageRecords = 2, RunItems = 1, PageSeries = 1, MaximumTries = 3 };

    private readonly int _shards;
    private readonly SteppingClock _clock = new();
    private readonly SimulatedNetwork _network;
    private readonly SimulatedDatabase _database;
    private readonly ITenantStore _tenant;
    private readonly IPositionedRecords _records;
    private readonly AdjustmentBook _adjustments;
    private readonly BackfillBook _backfills;
    private readonly BackfillRunner _backfillRunner;
    private readonly Answers _answers;
    private readonly SimulatedActorState[] _states;
    private readonly ShardFolder[,] _folders;

    public CountingHistory(int shards, DatabaseRules rules)
    {
        _shards = shards;
        _network = new SimulatedNetwork(new ImmediateScheduler(_clock), FaultDice.Harmless());
        _database = new SimulatedDatabase(_network, rules, shards);
        var store = new SimulatedStore(_database, new SimulatedProcess(), _clock);
        (_tenant, _records) = (store.Of(Tenant), store.RecordsOf(Tenant));
        _adjustments = new AdjustmentBook(_tenant.Ledger, _tenant.Documents, _clock);
        _backfills = new BackfillBook(_tenant, _clock);
        _backfillRunner = new BackfillRunner(_tenant, _clock, new BackfillOptions { PageEvents = 2 }, (_, _) => { });
        _answers = new Answers(_database, new Tally());
        _states = new SimulatedActorState[shards];
        _folders = new ShardFolder[shards, Activations];
        for (var shard = 0; shard < shards; shard++)
            RestartWithoutState(shard);
    }

    private bool IsAtRest => _database.IsProjected && _database.IsRecounted && !_database.HasDocuments(DocumentKind.BackfillWork);

    /// <summary>Appends, folds and recounts until nothing is left to do, by fresh activations.</summary>
    public void Finish()
    {
        RestartAll();
        for (var limit = 1_000; limit > 0 && !IsAtRest; limit--)
        {
            _clock.Now += TimeSpan.FromSeconds(1);
            RunBackfills(steps: 10);
            for (var shard = 0; shard < _shards; shard++)
            {
                Done(_folders[shard, 0].CatchUpAsync(CancellationToken.None));
                Done(Runner(shard, 0).RunAsync(CancellationToken.None));
            }
        }

        Assert.True(IsAtRest, "It does not come to rest.");
    }

    /// <summary>What does not hold once it has come to rest.</summary>
    public IReadOnlyList<string> Disagreements() =>
    [
        .. _answers.Disagreements(), .. WrongBackfills(),
        .. Books.Differences(
            Records().Select(entry => new LoggedRecord(Tenant, entry.Shard, entry.Position, entry.Record)),
            Rows().Select(row => new TenantCounter(Tenant, row.Counter))),
        .. Rows().Where(row => !row.Counter.Aggregates.IsEmpty && Read(row) != row.Counter).Select(row => $"{row.Counter} is read as {Read(row)}."),
        .. Audit().Where(result => result.Outcome != AuditOutcome.Matches)
            .Select(result => $"{result.Row.Counter}: the auditor says {result.Outcome}: {result.Recounted}."),
    ];

    /// <summary>A backfill counts whole, or not at all and for ever.</summary>
    private IEnumerable<string> WrongBackfills() =>
        Done(_backfills.ListAsync(null, null, 0, int.MaxValue, CancellationToken.None))!.Backfills.Select(backfill => BackfillCheck.Of(backfill, _shards, Records())).OfType<string>();

    private IEnumerable<LedgerEntry> Records() =>
        _database.RecordsOf(Tenant).Select(entry => new LedgerEntry(entry.Shard, entry.Position, entry.Record));

    private CounterRow[] Rows() => [.. _database.RowsOf(Tenant)];

    private Counter? Read(CounterRow row)
    {
        var key = row.Counter.Key;
        return Done(Activate(row.Shard).ReadAsync(key.Metric, key.Customer, key.PeriodStart, CancellationToken.None));
    }

    private AuditResult[] Audit()
    {
        var auditor = new CounterAuditor(_tenant, pageRecords: 4);
        return Array.ConvertAll(Rows(), row => Done(auditor.CheckAsync(row, CancellationToken.None))!);
    }

    private ShardFolder Activate(int shard)
    {
        var process = new SimulatedProcess();
        var store = new SimulatedStore(_database, process, _clock).Of(Tenant);
        return new ShardFolder(shard, store.Ledger, store.Projection, _states[shard].Of(process), _clock, Folding);
    }

    private void RestartWithoutState(int shard)
    {
        _states[shard] = new SimulatedActorState(_network);
        for (var activation = 0; activation < Activations; activation++)
            _folders[shard, activation] = Activate(shard);
    }

    private void RestartAll()
    {
        for (var shard = 0; shard < _shards; shard++)
        {
            for (var activation = 0; activation < Activations; activation++)
                _folders[shard, activation] = Activate(shard);
        }
    }

    private RecountRunner Runner(int shard, int activation) => new(
        shard, _tenant.Ledger, _tenant.Projection,
        (recount, cancellation) => _folders[shard, activation].InstallAsync(recount, cancellation), Recounting);

    /// <summary>Everything is done when it is asked for. A store that refuses is asked again by a later step.</summary>
    private static T? Done<T>(Task<T> task)
    {
        Assert.True(task.IsCompleted, "Nothing here waits.");
        return task.IsFaulted && task.Exception.InnerException is StoreUnavailableException ? default : task.GetAwaiter().GetResult();
    }

    private sealed class SteppingClock : TimeProvider
    {
        public Instant Now { get; set; } = Start;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => Now.ToOffset();

        public override long GetTimestamp() => Now.Ticks;
    }
}
