using StripeMeter.Kits.Reference;
using StripeMeter.Kits.Simulated.Actors;
using StripeMeter.Kits.Simulated.Database;
using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Kits.Storage;
using StripeMeter.Metering.Backfilling;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Tests.Backfilling;

/// <summary>One tenant in memory, live events, and backfills that are opened, filled, committed and taken back while processes die.</summary>
internal sealed class BackfillHistory
{
    public static readonly TenantId Tenant = new("acme");

    private static readonly Instant Now = Instant.OfDate(2026, 2, 1) + TimeSpan.FromHours(6);
    private static readonly TimeSpan[] Ages = [TimeSpan.Zero, TimeSpan.FromHours(30), TimeSpan.FromDays(40)];
    private static readonly BackfillOptions Options = new() { PageEvents = 2, Parallelism = 1 };

    private readonly SimulatedDatabase _database;
    private readonly SimulatedNetwork _network;
    private readonly TimeProvider _clock = new StandingClock();
    private readonly SimulatedProcess _process = new();
    private readonly Dictionary<string, List<StagedEvent>> _acknowledged = [];
    private readonly HashSet<string> _committed = [];
    private readonly HashSet<string> _reverted = [];
    private readonly ShardFolder _folder;

    public BackfillHistory()
    {
        _network = new SimulatedNetwork(new ImmediateScheduler(_clock), FaultDice.Harmless());
        _database = new SimulatedDatabase(_network, new DatabaseRules(), newTenantShards: 1);
        Acme = new SimulatedStore(_database, _process, _clock).Of(Tenant);
        _folder = new ShardFolder(
            0, Acme.Ledger, Acme.Projection, new SimulatedActorState(_network).Of(_process), _clock, new FoldOptions { PageRecords = 3, TurnRecords = 7 });
    }

    private ITenantStore Acme { get; }

    public void Take(BackfillStep step)
    {
        var id = $"b{step.Which % 3}";
        var fuse = new Fuse(step.Calls, lastIsCarriedOut: step.What % 2 == 0);
        var book = new BackfillBook(fuse.Guard(Acme), _clock);
        switch (step.Action)
        {
            case BackfillAction.Ingest:
                Done(new Appender(Tenant, Acme.Ledger, (_, _) => TimeSpan.FromHours(48), _clock).AppendAsync([Draw(step.What)], default));
                break;
            case BackfillAction.Open:
                Done(book.OpenAsync(new Backfill { Id = id, Kind = BackfillKind.Session, Scope = new([], [], Instant.Minimum, Instant.Maximum) }, default));
                break;
            case BackfillAction.Stage:
                Stage(book, id, [Draw(step.What), Draw(step.What + 1), Draw(step.What + 7)]);
                break;
            case BackfillAction.Commit when IsOpened(id):
                if (Done(book.CommitAsync(id, 0, "", default)) is { Refusal: null })
                    _committed.Add(id);
                break;
            case BackfillAction.Revert when IsOpened(id):
                if (Done(book.RevertAsync(id, "", "", "", default)) is { Refusal: null })
                    _reverted.Add(id);
                break;
            case BackfillAction.Work:
                Done(new BackfillRunner(fuse.Guard(Acme), _clock, Options, (_, _) => { }).RunAsync(WorkOf(id, step.What), 3, default));
                break;
            case BackfillAction.Fold: Done(_folder.CatchUpAsync(default)); break;
            case BackfillAction.Recount: Done(Recounter().RunAsync(default)); break;
            default: break;
        }
    }

    /// <summary>Lets everything come to rest.</summary>
    public void Finish()
    {
        var sweep = new BackfillSweep(new SimulatedStore(_database, _process, _clock), _clock, Options, (_, _) => { });
        var limit = 1_000;
        while (limit-- > 0 && Done(sweep.SweepAsync(default)))
        {
        }

        while (limit-- > 0 && !(_database.IsProjected && _database.IsRecounted))
        {
            Done(_folder.CatchUpAsync(default));
            Done(Recounter().RunAsync(default));
        }

        Assert.True(limit > 0, "It does not come to rest.");
    }

    /// <summary>Where counters are not what the reference meter counts, or a backfill is not what was decided of it.</summary>
    public IEnumerable<string> Disagreements()
    {
        var expected = ReferenceMeter.Count(Log());
        foreach (var row in _database.RowsOf(Tenant))
        {
            var key = new ReferenceKey(Tenant, row.Counter.Key.Metric, row.Counter.Key.Customer, row.Counter.Key.PeriodStart.ToUtc());
            if (!expected.Remove(key, out var reference) ? !row.Counter.Aggregates.IsEmpty : !ReferenceMeter.Agrees(reference, row.Counter))
                yield return $"{row.Counter} is not {reference}";
        }

        foreach (var missing in expected.Values.Where(reference => reference.Count > 0))
            yield return $"{missing} is in no row";
        foreach (var id in (string[])["b0", "b1", "b2"])
        {
            foreach (var disagreement in DisagreementsOf(id))
                yield return $"{id}: {disagreement}";
        }
    }

    private IEnumerable<string> DisagreementsOf(string id)
    {
        var (backfill, mine) = (Done(new BackfillBook(Acme, _clock).FindAsync(id, default)), Log().Where(logged => logged.Record.Session == id).ToArray());
        if (backfill?.State is BackfillState.Committing or BackfillState.Reverting)
            yield return $"it is still {backfill.State}";
        if ((backfill?.State is null or BackfillState.Open) && mine.Length > 0)
            yield return "its events are in the ledger before it was committed";
        if (_committed.Contains(id) && backfill?.State is not (BackfillState.Committed or BackfillState.Reverted))
            yield return $"it was answered as committed, and is {backfill?.State}";
        if (_reverted.Contains(id) && backfill?.State != BackfillState.Reverted)
            yield return $"it was answered as taken back, and is {backfill?.State}";
        if (backfill?.State == BackfillState.Committed)
        {
            foreach (var staged in _acknowledged.GetValueOrDefault(id, []).Where(staged => !Stands(staged) && !IsConflict(staged)))
                yield return $"{staged} was answered as waiting, and is not in the ledger";
            if (backfill.Tally.Accepted != mine.Length)
                yield return $"it says that it appended {backfill.Tally.Accepted}, and appended {mine.Length}";
        }

        if ((backfill?.State is BackfillState.Committed or BackfillState.Reverted) && Waiting(id) > 0)
            yield return "events still wait in it";
    }

    private IEnumerable<LoggedRecord> Log() =>
        _database.RecordsOf(Tenant).Select(entry => new LoggedRecord(Tenant, entry.Shard, entry.Position, entry.Record));

    private bool Stands(StagedEvent staged) => Log().Any(logged =>
        logged.Record.Fingerprint == staged.Fingerprint && logged.Record.Key.StartsWith(staged.Key, StringComparison.Ordinal));

    /// <summary>Another event stands under its own key: the one that stands is not overwritten.</summary>
    private bool IsConflict(StagedEvent staged) => !staged.IsExtendable(Tenant)
        && Log().Any(logged => logged.Record.Space == KeySpace.Client && logged.Record.Key == staged.Key);

    private long Waiting(string id) => Done(Acme.Documents.CountAsync(DocumentKind.StagedEvent, id + "/", default));

    private bool IsOpened(string id) => Done(new BackfillBook(Acme, _clock).FindAsync(id, default)) is not null;

    private void Stage(BackfillBook book, string id, KeyedEvent[] events)
    {
        if (!IsOpened(id) || Done(book.StageAsync(id, events, new long[events.Length], default)) is not { } outcomes)
            return;
        if (!_acknowledged.TryGetValue(id, out var acknowledged))
            _acknowledged.Add(id, acknowledged = []);
        acknowledged.AddRange(events.Zip(outcomes).Where(pair => pair.Second.Status != IngestStatus.Conflict)
            .Select(pair => new StagedEvent($"{id}/{pair.Second.Key}", pair.Second.Key, pair.First.Event, 0)));
    }

    private static string WorkOf(string id, int what) => $"{id}/{(int)(what % 2 == 0 ? BackfillState.Committing : BackfillState.Reverting)}";

    private RecountRunner Recounter() => new(
        0, Acme.Ledger, Acme.Projection, _folder.InstallAsync, new RecountOptions { PageRecords = 2, RunItems = 1, PageSeries = 1, MaximumTries = 3 });

    private static KeyedEvent Draw(int what)
    {
        var usage = new UsageEvent(
            "m", $"c{what % 2}", "", Quantity.FromInteger(1 + (what % 3)), Now - Ages[what / 2 % Ages.Length], "", EventSource.Import);
        return new KeyedEvent(usage, what % 4 == 0 ? null : $"k{what % 9}");
    }

    /// <summary>Everything is done when it is asked for. What a dead process did not answer is no answer.</summary>
    private static T? Done<T>(Task<T> task)
    {
        Assert.True(task.IsCompleted, "Nothing here waits.");
        return task.IsFaulted && task.Exception.InnerException is StoreUnavailableException ? default : task.GetAwaiter().GetResult();
    }

    private sealed class StandingClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now.ToOffset();

        public override long GetTimestamp() => 0;
    }
}
