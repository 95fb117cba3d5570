using StripeMeter.Kits.Simulated.Database;
using StripeMeter.Kits.Simulated.Messaging;
using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Backfilling;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Time;

namespace StripeMeter.Simulation.Counting;

/// <summary>
/// Clients, writers, broker, folders and sweep over one simulated database. Runs until all clients are done, while
/// between any two steps something may go wrong; then without faults until nothing is left to do.
/// </summary>
internal sealed class CountingWorld
{
    private const int LongestFaultSteps = 6_000;
    private const int LongestRestSteps = 200_000;

    /// <summary>Faults that are not of a port: they are drawn between steps.</summary>
    private static readonly Fault[] BetweenSteps =
    [
        Fault.WriterCrash, Fault.FolderCrash, Fault.SweepCrash, Fault.SecondSweep, Fault.SecondActivation, Fault.TimePasses, Fault.WriteRolledBack,
        Fault.StateFallsBack, Fault.RowsDeleted,
    ];

    private static readonly Instant Start = Instant.OfDate(2026, 2, 1) + TimeSpan.FromHours(6);

    private readonly SeededScheduler _scheduler;
    private readonly Writers _writers;
    private readonly Clients _clients;
    private readonly Operators _operators;
    private readonly Sweeper _sweeper;
    private readonly FaultDice _dice;

    public CountingWorld(int seed, CountingVariant variant)
    {
        var random = new Random(seed);
        _dice = FaultDice.Draw(random, Tally, BetweenSteps);
        _scheduler = new SeededScheduler(random, Start);
        Network = new SimulatedNetwork(_scheduler, _dice);
        Database = new SimulatedDatabase(Network, variant.Rules, newTenantShards: random.Next(1, 4));
        Folders = new Folders(Network, Database, variant, DrawFoldOptions(random));
        var broker = new SimulatedProcess();
        _writers = new Writers(
            Network, Database, new SimulatedBroker(Network, (shard, ranges) => Folders.FoldAsync(broker, shard, ranges)));
        Answers = new Answers(Database, Tally);
        _clients = new Clients(Network, _writers, Answers);
        _operators = new Operators(Network, _writers);
        var catchUp = new CatchUpOptions
        {
            Patience = TimeSpan.FromSeconds(random.Next(3)), PageShards = random.Next(1, 4), Parallelism = random.Next(1, 3),
        };
        var recounting = new RecountOptions
        {
            PageRecords = random.Next(1, 6), RunItems = random.Next(1, 4), PageSeries = random.Next(1, 3), MaximumTries = random.Next(1, 5),
        };
        var backfilling = new BackfillOptions { PageEvents = random.Next(1, 4), TurnSteps = random.Next(1, 6) };
        _sweeper = new Sweeper(Network, Database, Folders, catchUp, recounting, backfilling);
        var workload = new Workload(random, Start);
        _clients.Start(workload.Draw());
        _operators.Start(workload.DrawControls());
        _sweeper.Start();
    }

    public Tally Tally { get; } = new();

    public SimulatedNetwork Network { get; }

    public SimulatedDatabase Database { get; }

    public Folders Folders { get; }

    public Answers Answers { get; }

    public long Steps => _scheduler.Steps;

    /// <summary>Events in the logs.</summary>
    public long Events => Database.KnownTenants.Sum(
        tenant => Database.RecordsOf(tenant).LongCount(entry => entry.Record.Kind == RecordKind.Event));

    private bool AllAreAnswered => _clients.AreDone && _operators.AreDone;

    /// <summary>Runs until there is nothing left to do. False if that does not come about.</summary>
    public bool Run()
    {
        while (!AllAreAnswered && _scheduler.Steps < LongestFaultSteps)
        {
            Disturb();
            _scheduler.RunOne();
        }

        _dice.Cease();
        _clients.MustFinish = true;
        _scheduler.Hasten();
        _sweeper.CrashAll();
        // After a sweep nothing else is under way or waits for its time, and every shard is projected to its head and recounted.
        _sweeper.MayRest = () => AllAreAnswered && _scheduler.Pending == 0 && Database.IsProjected && Database.IsRecounted;
        return RunUntil(() => _sweeper.Rests);
    }

    /// <summary>What is still to do.</summary>
    public string Unrest() => string.Join("; ",
    [
        AllAreAnswered ? "all are answered" : "somebody waits",
        Database.IsRecounted ? "all is recounted" : "something is to be recounted",
        Database.HasDocuments(DocumentKind.BackfillWork) ? "a backfill is to be appended" : "no backfill is to be appended",
        $"{_scheduler.Pending} steps pend",
        .. from tenant in Database.KnownTenants
           from work in Database.WorkOf(tenant)
           select $"{tenant}/{work.Shard} has {work.Head} and {work.Progress}",
    ]);

    /// <summary>Runs until a task has ended. False if that does not come about.</summary>
    public bool RunUntilEnded(Task task) => RunUntil(() => task.IsCompleted);

    private bool RunUntil(Func<bool> isOver)
    {
        var last = _scheduler.Steps + LongestRestSteps;
        while (!isOver())
        {
            if (_scheduler.Steps >= last || !_scheduler.RunOne())
                return isOver();
        }

        return true;
    }

    private void Disturb()
    {
        if (_dice.Strikes(Fault.TimePasses))
            _scheduler.Advance(_dice.Delay(TimeSpan.FromSeconds(30)));
        if (_dice.Strikes(Fault.WriterCrash))
            _writers.CrashOne();
        if (_dice.Strikes(Fault.SweepCrash))
            _sweeper.CrashOne();
        if (_sweeper.HasRoom && _dice.Strikes(Fault.SecondSweep))
            _sweeper.Start();
        if (Folders.HasActive && _dice.Strikes(Fault.FolderCrash))
            Folders.CrashOne();
        if (Folders.HasActive && _dice.Strikes(Fault.SecondActivation))
            Folders.ActivateAgain();
        if (Folders.HasStateToLose && _dice.Strikes(Fault.StateFallsBack))
            Folders.LoseState();
        if (Database.HasUnreplicatedWrites && _dice.Strikes(Fault.WriteRolledBack))
            Database.Elect();
        if (Database.HasRows && _dice.Strikes(Fault.RowsDeleted))
            DeleteRows();
    }

    /// <summary>Deleting what is projected is safe only while nobody holds a part of it in memory, or work that is about it.</summary>
    private void DeleteRows()
    {
        Folders.CrashAll();
        _sweeper.CrashAll();
        Database.DeleteProjections();
    }

    /// <summary>Small limits, so that every one of them is met.</summary>
    private static FoldOptions DrawFoldOptions(Random random) => new()
    {
        PageRecords = random.Next(1, 6), TurnRecords = random.Next(1, 12), HeldCounters = random.Next(1, 8),
        PendingRecounts = random.Next(1, 5), HeldSessions = random.Next(0, 3), TurnFills = random.Next(1, 4), HolePatience = TimeSpan.FromMilliseconds(random.Next(200, 4_000)),
        MaximumPatienceDoublings = random.Next(0, 5),
    };
}
