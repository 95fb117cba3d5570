using StripeMeter.Kits.Reference;
using StripeMeter.Kits.Simulated.Database;
using StripeMeter.Kits.Simulated.Scheduling;
using StripeMeter.Metering.Auditing;
using StripeMeter.Metering.Backfilling;
using StripeMeter.Metering.Counting;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Tenants;

namespace StripeMeter.Simulation.Counting;

/// <summary>Compares what a run left behind with what must be true.</summary>
internal sealed class CountingChecks(CountingWorld world)
{
    private const int AuditPage = 3;

    private readonly LoggedRecord[] _log =
    [
        .. from tenant in world.Database.KnownTenants
           from entry in world.Database.RecordsOf(tenant)
           select new LoggedRecord(tenant, entry.Shard, entry.Position, entry.Record),
    ];

    public IEnumerable<string> All() =>
        [.. Unexplained(), .. world.Answers.Disagreements(), .. Log(), .. UnansweredEvents(), .. ControlsThatCameFirst(), .. Progress(), .. Rows(), .. Counters(), .. Audit(), .. Backfills()];

    private IEnumerable<string> Unexplained() =>
        world.Network.Unexplained.Select(failure => $"Unexplained: {failure.GetType().Name}: {failure.Message}");

    /// <summary>Every position up to the head holds one record, and every key stands once.</summary>
    private IEnumerable<string> Log()
    {
        foreach (var twice in _log.GroupBy(logged => (logged.Tenant, logged.Record.Space, logged.Record.Key)).Where(group => group.Count() > 1))
            yield return $"{twice.Key.Tenant} {twice.Key.Key} stands {twice.Count()} times.";
        // One event under two keys can only be one that was given none.
        foreach (var twice in _log.Where(logged => logged.Record.Event is not null && IsOurs(logged))
            .GroupBy(logged => (logged.Tenant, logged.Record.Fingerprint)).Where(group => group.Count() > 1))
        {
            yield return $"{twice.Key.Tenant} has one event under the keys {string.Join(" and ", twice.Select(logged => logged.Record.Key))}.";
        }

        foreach (var tenant in world.Database.KnownTenants)
        {
            foreach (var (shard, head, _) in world.Database.WorkOf(tenant))
            {
                var positions = _log.Where(logged => logged.Tenant == tenant && logged.Shard == shard).Select(logged => logged.Position).Order();
                if (!positions.SequenceEqual(Enumerable.Range(1, (int)head.Position).Select(position => (long)position)))
                    yield return $"{tenant}/{shard} holds the positions {string.Join(' ', positions)} and its head is {head.Position}.";
            }
        }
    }

    private static bool IsOurs(LoggedRecord logged) =>
        logged.Record.Key.StartsWith(DerivedKey.Of(logged.Tenant, logged.Record.Event!), StringComparison.Ordinal);

    /// <summary>An event nobody was told about may stand; that it counts once is seen with all the others.</summary>
    private IEnumerable<string> UnansweredEvents()
    {
        var standing = _log.Select(logged => logged.Record.Fingerprint).ToHashSet();
        foreach (var _ in world.Answers.Unanswered.Where(sent => standing.Contains(Fingerprint.Of(sent.Event))))
            world.Tally.Note(Situation.UnansweredEventStands);
        return [];
    }

    /// <summary>What was cancelled before it came has to be met, or nothing is shown about it.</summary>
    private IEnumerable<string> ControlsThatCameFirst()
    {
        var positions = _log.ToDictionary(logged => (logged.Tenant, logged.Record.Space, logged.Record.Key), logged => logged.Position);
        foreach (var logged in _log)
        {
            var isApproval = logged.Record.Kind is RecordKind.AdjustmentApproved or RecordKind.LateEventApproved;
            if (isApproval && IsBehind(logged, ControlRecords.RevertKey(logged.Record.Kind, logged.Record.Control!.Subject)))
                world.Tally.Note(Situation.ApprovedAfterRevert);
            if (logged.Record.Session.Length > 0 && IsBehind(logged, ControlRecords.ExclusionKey(logged.Record.Session, logged.Shard)))
                world.Tally.Note(Situation.ExcludedBefore);
        }

        return [];

        bool IsBehind(LoggedRecord logged, string key) =>
            positions.TryGetValue((logged.Tenant, KeySpace.Control, key), out var position) && position < logged.Position;
    }

    private IEnumerable<string> Progress() =>
        from tenant in world.Database.KnownTenants
        from work in world.Database.WorkOf(tenant)
        where work.Progress != new ShardProgress(work.Head.LogId, work.Head.Position)
        select $"{tenant}/{work.Shard} is projected to {work.Progress} and its head is {work.Head}.";

    /// <summary>The rows are the reference meter's counters, bit for bit.</summary>
    private IReadOnlyList<string> Rows()
    {
        foreach (var _ in AllRows().Where(stored => stored.Row.Counter.Aggregates.IsEmpty))
            world.Tally.Note(Situation.CounterEmptied);
        return Books.Differences(_log, AllRows().Select(stored => new TenantCounter(stored.Tenant, stored.Row.Counter)));
    }

    /// <summary>What a fresh activation says is what the rows say.</summary>
    private List<string> Counters()
    {
        var wrong = new List<string>();
        var reading = ReadAllAsync(wrong);
        if (!world.RunUntilEnded(reading) || !reading.IsCompletedSuccessfully)
            wrong.Add($"Counters cannot be read: {reading.Exception?.GetBaseException().Message ?? "no answer"}");
        return wrong;
    }

    private async Task ReadAllAsync(List<string> wrong)
    {
        foreach (var (tenant, row) in AllRows().Where(stored => !stored.Row.Counter.Aggregates.IsEmpty).ToArray())
        {
            var read = await world.Folders.ReadAnewAsync(new ShardId(tenant, row.Shard), row.Counter.Key).ConfigureAwait(false);
            if (read != row.Counter)
                wrong.Add($"{tenant} has the row {row.Counter} and the counter {read}.");
        }
    }

    /// <summary>The auditor finds every row right.</summary>
    private List<string> Audit()
    {
        var wrong = new List<string>();
        var auditing = AuditAllAsync(wrong);
        if (!world.RunUntilEnded(auditing) || !auditing.IsCompletedSuccessfully)
            wrong.Add($"Counters cannot be audited: {auditing.Exception?.GetBaseException().Message ?? "no answer"}");
        return wrong;
    }

    private async Task AuditAllAsync(List<string> wrong)
    {
        var store = new SimulatedStore(world.Database, new SimulatedProcess(), world.Network.Scheduler.Clock);
        foreach (var (tenant, row) in AllRows().ToArray())
        {
            var result = await new CounterAuditor(store.Of(tenant), AuditPage).CheckAsync(row, CancellationToken.None).ConfigureAwait(false);
            if (result.Outcome != AuditOutcome.Matches)
                wrong.Add($"{tenant} has {row.Counter}, and the auditor says {result.Outcome}: {result.Recounted}.");
        }
    }

    /// <summary>Backfills count whole or not at all.</summary>
    private List<string> Backfills()
    {
        var wrong = new List<string>();
        var reading = CheckBackfillsAsync(wrong);
        if (!world.RunUntilEnded(reading) || !reading.IsCompletedSuccessfully)
            wrong.Add($"Backfills cannot be read: {reading.Exception?.GetBaseException().Message ?? "no answer"}");
        return wrong;
    }

    private async Task CheckBackfillsAsync(List<string> wrong)
    {
        var store = new SimulatedStore(world.Database, new SimulatedProcess(), world.Network.Scheduler.Clock);
        foreach (var tenant in world.Database.KnownTenants.ToArray())
        {
            var book = new BackfillBook(store.Of(tenant), world.Network.Scheduler.Clock);
            var shards = await store.Of(tenant).Ledger.ShardCountAsync(CancellationToken.None).ConfigureAwait(false);
            var ledger = _log.Where(logged => logged.Tenant == tenant).Select(logged => new LedgerEntry(logged.Shard, logged.Position, logged.Record)).ToArray();
            foreach (var backfill in (await book.ListAsync(null, null, 0, int.MaxValue, CancellationToken.None).ConfigureAwait(false)).Backfills)
            {
                world.Tally.Note(backfill.State == BackfillState.Reverted ? Situation.BackfillReverted : Situation.BackfillCommitted);
                if (BackfillCheck.Of(backfill, shards, ledger) is { } problem)
                    wrong.Add(problem);
            }
        }
    }

    private IEnumerable<(TenantId Tenant, CounterRow Row)> AllRows() =>
        from tenant in world.Database.KnownTenants
        from row in world.Database.RowsOf(tenant)
        select (tenant, row);

}
