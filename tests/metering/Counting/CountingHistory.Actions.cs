using StripeMeter.Metering.Adjustments;
using StripeMeter.Metering.Auditing;
using StripeMeter.Metering.Backfilling;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Periods;
using StripeMeter.Metering.Quantities;
using StripeMeter.Metering.Replaying;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Tests.Counting;

/// <content>What may happen, and how it does: few keys, customers and instants, so that everything meets everything.</content>
internal sealed partial class CountingHistory
{
    private static readonly Instant Start = Instant.OfDate(2026, 2, 1) + TimeSpan.FromHours(6);
    private static readonly TimeSpan Lateness = TimeSpan.FromHours(48);
    private static readonly int[] AgesHours = [0, 0, 0, 0, 5, 30, 49, 480];
    private static readonly string[] Quantities = ["1", "0.1", "999999999999999.999999999999"];

    private readonly List<KeyedEvent> _sent = [];
    private readonly List<Adjustment> _created = [];
    private readonly List<(int Shard, PositionedRecord Record)> _unwritten = [];
    private Recount? _counted;
    private int _changes;

    public void Take(CountingStep step)
    {
        var (what, which) = (step.What, step.Which);
        var (shard, activation) = (Shards.Of(CustomerAt(what), _shards), which % Activations);
        switch (step.Action)
        {
            case CountingAction.Ingest: Ingest("", Draw(what, which)); break;
            case CountingAction.IngestAgain when _sent.Count > 0: Ingest("", _sent[what % _sent.Count]); break;
            case CountingAction.IngestBatch: Ingest("", DrawSeveral(what, which)); break;
            case CountingAction.IngestBySession: Ingest($"s{which % 2}", DrawSeveral(what, which)); break;
            case CountingAction.Stage: Stage($"b{which % 3}", DrawSeveral(what, which)); break;
            case CountingAction.CommitBackfill: Decide($"b{what % 3}", id => _backfills.CommitAsync(id, rows: 0, "", CancellationToken.None)); break;
            case CountingAction.RevertBackfill: Decide($"b{what % 3}", id => _backfills.RevertAsync(id, "", "", problem: "", CancellationToken.None)); break;
            case CountingAction.RunBackfills: RunBackfills(steps: 1 + (what % 3)); break;
            case CountingAction.CreateAdjustment: Create(what % 6); break;
            case CountingAction.Approve: Settle(what, which, state => _adjustments.ApproveAsync(state, "operator", CancellationToken.None)); break;
            case CountingAction.Revert: Settle(what, which, state => _adjustments.RevertAsync(state, "operator", "", CancellationToken.None)); break;
            case CountingAction.Replay: Replay(which % 3 == 0 ? [] : [MetricAt(what)]); break;
            case CountingAction.ExcludeSession: Exclude($"s{what % 2}"); break;
            case CountingAction.ChangeAnchor: ChangeAnchor(what, which); break;
            case CountingAction.Rebuild: Rebuild($"{what % 4}", which % 3 == 0 ? null : CustomerAt(what)); break;
            case CountingAction.Fold: Done(_folders[shard, activation].CatchUpAsync(CancellationToken.None)); break;
            case CountingAction.Deliver: Done(_folders[shard, activation].FoldAsync(Messages(shard, what, which), CancellationToken.None)); break;
            case CountingAction.Recount: Done(Runner(shard, activation).RunAsync(CancellationToken.None)); break;
            case CountingAction.CountForLater: _counted = Count(what, which) ?? _counted; break;
            case CountingAction.InstallWhatWasCounted: Install(activation); break;
            case CountingAction.Audit: Assert.DoesNotContain(Audit(), result => result.Outcome == AuditOutcome.Differs); break;
            case CountingAction.LeaveAHole: LeaveAHole(what, which); break;
            case CountingAction.WriteLate: WriteLate(what); break;
            case CountingAction.TimePasses: _clock.Now += TimeSpan.FromHours(which % 64); break;
            case CountingAction.Restart: _folders[shard, activation] = Activate(shard); break;
            case CountingAction.RestartWithoutState: RestartWithoutState(shard); break;
            case CountingAction.StateFallsBack when _states[shard].HasHistory: _states[shard].FallBack(); break;
            case CountingAction.DeleteRows: DeleteRows(); break;
            default: break;
        }
    }

    private static string MetricAt(int what) => what % 4 == 0 ? "m1" : "m0";

    private static string CustomerAt(int what) => what / 4 % 4 == 0 ? "c1" : "c0";

    private static Instant At(int what) => Start - TimeSpan.FromHours(AgesHours[what / 16 % AgesHours.Length]);

    private KeyedEvent Draw(int what, int which)
    {
        var usage = new UsageEvent(
            MetricAt(what), CustomerAt(what), "", Quantity.Parse(Quantities[which % Quantities.Length]), At(what), "", EventSource.Http);
        var keyed = new KeyedEvent(usage, which % 5 == 0 ? null : $"k{which % 40}");
        _sent.Add(keyed);
        return keyed;
    }

    private KeyedEvent[] DrawSeveral(int what, int which) =>
        [.. Enumerable.Range(0, 1 + (which % 4)).Select(next => Draw(what + (next * which), which + (next * what)))];

    private void Ingest(string session, params KeyedEvent[] events)
    {
        var appender = new Appender(Tenant, _tenant.Ledger, (_, _) => Lateness, _clock);
        if (Done(appender.AppendAsync(events, session, CancellationToken.None)) is { } appended)
            _answers.Give(Tenant, events, appended.Outcomes);
    }

    /// <summary>Has events wait in a backfill, if it still takes them. One of three is a dry run.</summary>
    private void Stage(string id, KeyedEvent[] events)
    {
        if (Done(_backfills.FindAsync(id, CancellationToken.None)) is null)
        {
            var everything = new BackfillScope([], [], Instant.Minimum, Instant.Maximum);
            Done(_backfills.OpenAsync(
                new Backfill { Id = id, Kind = BackfillKind.Session, Scope = everything, DryRun = id == "b2" }, CancellationToken.None));
        }

        Done(_backfills.StageAsync(id, events, new long[events.Length], CancellationToken.None));
    }

    private void Decide(string id, Func<string, Task<BackfillDecision>> decide)
    {
        if (Done(_backfills.FindAsync(id, CancellationToken.None)) is not null)
            Done(decide(id));
    }

    private void RunBackfills(int steps)
    {
        foreach (var work in Done(_tenant.Documents.ListAsync(new DocumentQuery(DocumentKind.BackfillWork), CancellationToken.None))!)
            Done(_backfillRunner.RunAsync(work.Id, steps, CancellationToken.None));
    }

    /// <summary>A request that is repeated creates nothing; one that says something else is refused.</summary>
    private void Create(int number)
    {
        var draft = new Adjustment
        {
            Id = "", Metric = MetricAt(number), Customer = "c0", At = Start, Delta = Quantity.FromInteger(1 - number),
            Reason = AdjustmentReason.Correction, RequestId = $"r{number % 3}",
        };
        var created = Done(_adjustments.CreateAsync(draft, $"{_changes++}", CancellationToken.None));
        var first = _created.Find(earlier => earlier.RequestId == draft.RequestId);
        Assert.Equal(first is null || first.Delta == draft.Delta, created is not null);
        if (created is not null && !_created.Contains(created))
            _created.Add(created);
    }

    /// <summary>Takes a transition of an adjustment or of a late event; every other operator has looked at it before it was settled.</summary>
    private void Settle(int what, int which, Func<AdjustmentState, Task<AdjustmentTransition>> transition)
    {
        Adjustment[] all =
        [
            .. _created, .. Records().Where(entry => entry.Record.Late).Select(entry => AdjustmentBook.OfLateEvent(entry.Record)),
        ];
        if (all.Length == 0)
            return;
        var chosen = all[what % all.Length];
        var fresh = Done(_adjustments.FindAsync(chosen.Id, CancellationToken.None));
        Assert.Equal(chosen, fresh?.Adjustment);
        Done(transition(which % 2 == 0 ? fresh! : new AdjustmentState(chosen, null, null)));
    }

    /// <summary>A dry run changes nothing and says what the run then does.</summary>
    private void Replay(string[] metrics)
    {
        var range = new ReplayRange(metrics, Instant.Minimum, Instant.Maximum);
        var before = Records().Count();
        var foreseen = ReplayPages(range, approvedBy: null);
        Assert.Equal(before, Records().Count());
        Assert.Equal(foreseen, ReplayPages(range, "operator"));
        Assert.Equal(before + foreseen.Sum(change => change.LateEvents), Records().Count());
        Assert.Empty(ReplayPages(range, "operator"));
    }

    private List<(string Metric, int LateEvents, Quantity Delta)> ReplayPages(ReplayRange range, string? approvedBy)
    {
        var changes = new List<MetricChange>();
        EventCursor? after = null;
        do
        {
            var replayer = new Replayer(_tenant.Ledger, _clock);
            var page = Done(replayer.ReadAsync(range, after, 2, CancellationToken.None))!;
            if (approvedBy is not null)
                page = Done(replayer.ApproveAsync(page, approvedBy, CancellationToken.None))!;
            changes.AddRange(page.Changes);
            after = page.Next;
        }
        while (after is not null);
        return
        [
            .. changes.GroupBy(change => change.Metric).OrderBy(metric => metric.Key, StringComparer.Ordinal).Select(metric => (
                metric.Key, metric.Sum(change => change.LateEvents), metric.Aggregate(Quantity.Zero, (sum, change) => sum + change.Delta))),
        ];
    }

    private void Exclude(string session) => Done(new ControlAppender(_tenant.Ledger).AppendToAllShardsAsync(
        shard => ControlRecords.SessionExcluded(session, shard, "", _clock.Now), CancellationToken.None));

    private void ChangeAnchor(int what, int which) => Done(new ControlAppender(_tenant.Ledger).AppendAsync(
        [
            ControlRecords.AnchorChanged(
                $"{_changes++}", CustomerAt(what), At(which), new PeriodAnchor(1 + (what % 31), which * 5 % 1440),
                _clock.Now - TimeSpan.FromHours(what % 64), "", _clock.Now),
        ],
        CancellationToken.None));

    private void Rebuild(string id, string? customer)
    {
        RebuildCursor? after = null;
        do
            after = Done(new Rebuilder(_tenant.Ledger, _clock).RepairAsync(id, customer, after, 2, "", CancellationToken.None))!.Next;
        while (after is not null);
    }

    /// <summary>Two messages with what stands in a shard: again or for the first time, in any order, with gaps before and between.</summary>
    private RecordRange[] Messages(int shard, int what, int which)
    {
        var logId = Done(_tenant.Ledger.HeadAsync(shard, CancellationToken.None)).LogId;
        var records = Records().Where(entry => entry.Shard == shard)
            .Select(entry => Countable.Of(new PositionedRecord(entry.Position, entry.Record))).ToArray();
        return records.Length == 0 ? [] : [RangeFrom(what % records.Length, 1 + (which % 4)), RangeFrom(which % records.Length, 1)];

        RecordRange RangeFrom(int first, int most) => new(
            logId, [.. records[first..].TakeWhile((record, index) => index < most && record.Position == records[first].Position + index)]);
    }

    /// <summary>Counts now what may be installed much later.</summary>
    private Recount? Count(int what, int which)
    {
        var series = new EventSeries(CustomerAt(what), MetricAt(what));
        var shard = Shards.Of(series.Customer, _shards);
        var progress = Done(_tenant.Projection.ProgressAsync(shard, CancellationToken.None));
        return progress.Position == 0 ? null : Done(new Recounter(shard, _tenant.Ledger, 2).CountAsync(
            progress.LogId, series, new BillingPeriod(At(which), new Instant(At(which).Ticks + 1)), progress.Position, CancellationToken.None));
    }

    private void Install(int activation)
    {
        if (_counted is not null)
            Done(_folders[Shards.Of(_counted.Series.Customer, _shards), activation].InstallAsync(_counted, CancellationToken.None));
    }

    /// <summary>A writer has found that a key is free, reserves a position and stops before it writes.</summary>
    private void LeaveAHole(int what, int which)
    {
        var (usage, key) = Draw(what, which);
        key ??= DerivedKey.Of(Tenant, usage);
        if (_database.RecordOf(Tenant, new RecordKey(KeySpace.Client, key)) is not null)
            return;
        var shard = Shards.Of(usage.Customer, _shards);
        var position = Done(_records.ReserveAsync(shard, 1, CancellationToken.None));
        var record = LedgerRecord.OfEvent(key, Fingerprint.Of(usage), usage, _clock.Now, late: _clock.Now - usage.Timestamp > Lateness);
        _unwritten.Add((shard, new PositionedRecord(position, record)));
    }

    /// <summary>A writer that had stopped goes on: its position is free, or a reader has filled it, or its key is taken by now.</summary>
    private void WriteLate(int what)
    {
        if (_unwritten.Count == 0)
            return;
        var (shard, record) = _unwritten[what % _unwritten.Count];
        _unwritten.Remove((shard, record));
        Done(_records.InsertAsync(shard, [record], CancellationToken.None));
    }

    /// <summary>Deleting what is projected is safe only while nobody holds a part of it in memory, or work that is about it.</summary>
    private void DeleteRows()
    {
        _database.DeleteProjections();
        _counted = null;
        RestartAll();
    }
}
