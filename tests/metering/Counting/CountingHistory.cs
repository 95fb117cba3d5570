using StripeMeter.Kits.Reference;
using StripeMeter.Kits.Simulated.Actors;
using StripeMeter.Kits.Simulated.Database;
using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Auditing;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Tests.Counting;

/// <summary>One shard of one tenant in memory, two activations of it, and whatever is asked to happen.</summary>
internal sealed class CountingHistory
{
    public static readonly TenantId Tenant = new("acme");

    private static readonly Instant Now = Instant.OfDate(2026, 2, 1) + TimeSpan.FromHours(6);
    private static readonly TimeSpan[] Ages = [TimeSpan.Zero, TimeSpan.FromHours(5), TimeSpan.FromHours(30), TimeSpan.FromHours(49), TimeSpan.FromDays(20)];
    private static readonly string[] Quantities = ["1", "0.1", "999999999999999.999999999999"];
    private static readonly FoldOptions Folding = new() { PageRecords = 3, TurnRecords = 7, HeldCounters = 3, PendingRecounts = 3, HeldSessions = 1 };
    private static readonly RecountOptions Recounting = new() { PageRecords = 2, RunItems = 1, PageSeries = 1, MaximumTries = 3 };

    private readonly SimulatedDatabase _database;
    private readonly SimulatedNetwork _network;
    private readonly TimeProvider _clock = new StandingClock();
    private readonly SimulatedProcess _process = new();
    private readonly ITenantStore _store;
    private readonly ShardFolder[] _folders = new ShardFolder[2];
    private readonly List<KeyedEvent> _sent = [];
    private SimulatedActorState _state;
    private Recount? _counted;
    private int _anchors;

    public CountingHistory()
    {
        _network = new SimulatedNetwork(new ImmediateScheduler(_clock), FaultDice.Harmless());
        _database = new SimulatedDatabase(_network, new DatabaseRules(), newTenantShards: 1);
        _store = new SimulatedStore(_database, _process, _clock).Of(Tenant);
        _state = new SimulatedActorState(_network);
        _folders = [Activate(), Activate()];
    }

    public IEnumerable<LoggedRecord> Log() =>
        _database.RecordsOf(Tenant).Select(entry => new LoggedRecord(Tenant, entry.Shard, entry.Position, entry.Record));

    public IEnumerable<CounterRow> Rows() => _database.RowsOf(Tenant);

    public void Take(CountingStep step)
    {
        var (what, which) = (step.What, step.Which);
        var (metric, customer, at) = ($"m{what % 2}", $"c{what / 2 % 2}", Now - Ages[which % Ages.Length]);
        switch (step.Action)
        {
            case CountingAction.Ingest: Ingest(Draw(what, which), ""); break;
            case CountingAction.IngestAgain: Ingest(_sent.Count > 0 ? _sent[what % _sent.Count] : Draw(what, which), ""); break;
            case CountingAction.IngestBySession: Ingest(Draw(what, which), $"s{which % 2}"); break;
            case CountingAction.ApproveLate: Late(what, ControlRecords.LateEventApproved); break;
            case CountingAction.RevertLate: Late(what, ControlRecords.LateEventReverted); break;
            case CountingAction.ApproveAdjustment: Append(Adjustment(what % 3, ControlRecords.AdjustmentApproved)); break;
            case CountingAction.RevertAdjustment: Append(Adjustment(what % 3, ControlRecords.AdjustmentReverted)); break;
            case CountingAction.ExcludeSession: Append(ControlRecords.SessionExcluded($"s{what % 2}", 0, "", Now)); break;
            case CountingAction.ChangeAnchor:
                Append(ControlRecords.AnchorChanged(
                    $"{_anchors++}", customer, at, new PeriodAnchor(1 + (what % 31), which * 20), Now - TimeSpan.FromHours(what), "", Now));
                break;
            case CountingAction.Repair: Append(ControlRecords.CounterRepaired($"{what % 4}", metric, customer, at, "", Now)); break;
            case CountingAction.Fold: Done(_folders[which % 2].CatchUpAsync(CancellationToken.None)); break;
            case CountingAction.Recount: Done(Runner(which).RunAsync(CancellationToken.None)); break;
            case CountingAction.CountForLater: _counted = Count(metric, customer, at) ?? _counted; break;
            case CountingAction.InstallWhatWasCounted when _counted is not null:
                Done(_folders[which % 2].InstallAsync(_counted, CancellationToken.None));
                break;
            case CountingAction.Restart: _folders[which % 2] = Activate(); break;
            case CountingAction.RestartWithoutState:
                _state = new SimulatedActorState(_network);
                _folders[which % 2] = Activate();
                break;
            default: break;
        }
    }

    /// <summary>Folds and recounts until nothing is left to do, by a fresh activation.</summary>
    public void Finish()
    {
        var limit = 1_000;
        _folders[0] = Activate();
        while (limit-- > 0 && !(_database.IsProjected && _database.IsRecounted))
        {
            Done(_folders[0].CatchUpAsync(CancellationToken.None));
            Done(Runner(0).RunAsync(CancellationToken.None));
        }

        Assert.True(_database.IsProjected && _database.IsRecounted, "It does not come to rest.");
    }

    public IReadOnlyList<string> AuditFindings()
    {
        var auditor = new CounterAuditor(_store, pageRecords: 4);
        return
        [
            .. Rows().ToArray().Select(row => Done(auditor.CheckAsync(row, CancellationToken.None))!)
                .Where(result => result.Outcome != AuditOutcome.Matches).Select(result => $"{result.Row.Counter}: {result.Outcome} {result.Recounted}"),
        ];
    }

    private ShardFolder Activate()
    {
        var process = new SimulatedProcess();
        var store = new SimulatedStore(_database, process, _clock).Of(Tenant);
        return new ShardFolder(0, store.Ledger, store.Projection, _state.Of(process), _clock, Folding);
    }

    private RecountRunner Runner(int which) =>
        new(0, _store.Ledger, _store.Projection, (recount, cancellation) => _folders[which % 2].InstallAsync(recount, cancellation), Recounting);

    /// <summary>Counts now what may be installed much later.</summary>
    private Recount? Count(string metric, string customer, Instant at)
    {
        var progress = Done(_store.Projection.ProgressAsync(0, CancellationToken.None));
        return progress.Position == 0 ? null : Done(new Recounter(0, _store.Ledger, 2).CountAsync(
            progress.LogId, new EventSeries(customer, metric), new BillingPeriod(at, new Instant(at.Ticks + 1)), progress.Position,
            CancellationToken.None));
    }

    private KeyedEvent Draw(int what, int which)
    {
        var usage = new UsageEvent(
            $"m{what % 2}", $"c{what / 2 % 2}", "", Quantity.Parse(Quantities[which % Quantities.Length]), Now - Ages[what / 4 % Ages.Length], "",
            EventSource.Http);
        var keyed = new KeyedEvent(usage, which % 3 == 0 ? null : $"k{which % 12}");
        _sent.Add(keyed);
        return keyed;
    }

    private void Ingest(KeyedEvent keyed, string session)
    {
        var appender = new Appender(Tenant, _store.Ledger, (_, _) => TimeSpan.FromHours(48), _clock);
        Done(appender.AppendAsync([keyed], session, CancellationToken.None));
    }

    private void Late(int what, Func<string, UsageEvent, string, Instant, LedgerRecord> make)
    {
        var late = Log().Where(logged => logged.Record.Late).ToArray();
        if (late.Length > 0)
            Append(make(late[what % late.Length].Record.Key, late[what % late.Length].Record.Event!, "", Now));
    }

    private static LedgerRecord Adjustment(int number, Func<string, string, string, Instant, Quantity, string, Instant, LedgerRecord> make) =>
        make($"{number}", $"m{number % 2}", "c0", Now - Ages[number], Quantity.FromInteger(1 - (3 * number)), "", Now);

    private void Append(LedgerRecord record) => Done(_store.Ledger.AppendAsync(0, [record], CancellationToken.None));

    /// <summary>Everything is done when it is asked for. A store that refuses is asked again by a later step.</summary>
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
