using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;

namespace StripeMeter.Metering.Backfilling;

/// <summary>What appending a staged event comes to, or would.</summary>
/// <param name="Staged">The event.</param>
/// <param name="Status">Accepted also if this backfill has appended it already.</param>
/// <param name="Standing">What stands under its key; null if nothing did.</param>
/// <param name="IsBuried">What stands there came by a backfill that was taken back, so the event counts nowhere.</param>
public readonly record struct StagedOutcome(StagedEvent Staged, IngestStatus Status, LedgerEntry? Standing, bool IsBuried)
{
    public BackfillTally ToTally() => new(
        Status == IngestStatus.Accepted ? 1 : 0, Status == IngestStatus.Duplicate ? 1 : 0, Status == IngestStatus.Conflict ? 1 : 0,
        IsBuried ? 1 : 0);
}

/// <summary>Holds staged events of one backfill against the ledger.</summary>
internal sealed class BackfillOutlook(ITenantStore tenant, string backfill)
{
    /// <summary>What appending events would come to now, in their order.</summary>
    public async Task<IReadOnlyList<StagedOutcome>> LookAsync(IReadOnlyList<StagedEvent> events, CancellationToken cancellation)
    {
        var keys = events.SelectMany(staged => (string[])[staged.Key, DerivedKey.Extend(staged.Key, staged.Fingerprint)]);
        return await JudgeAsync(events, await FindAsync(keys, cancellation).ConfigureAwait(false), cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// What appending events has come to. An append that a crash cut off from its answer is told a duplicate the next time: what
    /// stands under the key says by whom it came.
    /// </summary>
    public async Task<IReadOnlyList<StagedOutcome>> JudgeAsync(
        IReadOnlyList<StagedEvent> events, IReadOnlyList<EventOutcome> appended, CancellationToken cancellation)
    {
        var standing = await FindAsync(
            appended.Where(outcome => outcome.Status != IngestStatus.Accepted).Select(outcome => outcome.Key), cancellation).ConfigureAwait(false);
        var buried = await BuriedAsync(standing.Values, cancellation).ConfigureAwait(false);
        return
        [
            .. events.Zip(appended, (staged, outcome) =>
                outcome.Status == IngestStatus.Accepted
                    ? new StagedOutcome(staged, IngestStatus.Accepted, null, false)
                    : Judge(staged, standing.GetValueOrDefault(outcome.Key), buried)),
        ];
    }

    private async Task<IReadOnlyList<StagedOutcome>> JudgeAsync(
        IReadOnlyList<StagedEvent> events, Dictionary<string, LedgerEntry> standing, CancellationToken cancellation)
    {
        var buried = await BuriedAsync(standing.Values, cancellation).ConfigureAwait(false);
        return
        [
            .. events.Select(staged =>
            {
                var found = standing.GetValueOrDefault(staged.Key);
                // As appending does: where another event has a derived key, the extended one is tried.
                if (found is not null && found.Record.Fingerprint != staged.Fingerprint && IsDerived(staged))
                    found = standing.GetValueOrDefault(DerivedKey.Extend(staged.Key, staged.Fingerprint));
                return Judge(staged, found, buried);
            }),
        ];
    }

    private StagedOutcome Judge(StagedEvent staged, LedgerEntry? found, HashSet<string> buried)
    {
        if (found is null || (found.Record.Session == backfill && found.Record.Fingerprint == staged.Fingerprint))
            return new StagedOutcome(staged, IngestStatus.Accepted, found, false);
        return found.Record.Fingerprint == staged.Fingerprint
            ? new StagedOutcome(staged, IngestStatus.Duplicate, found, buried.Contains(found.Record.Session))
            : new StagedOutcome(staged, IngestStatus.Conflict, found, false);
    }

    /// <summary>Which of the other backfills that records came by were taken back.</summary>
    private async Task<HashSet<string>> BuriedAsync(IEnumerable<LedgerEntry> entries, CancellationToken cancellation)
    {
        var others = entries.Where(entry => entry.Record.Session.Length > 0 && entry.Record.Session != backfill)
            .DistinctBy(entry => entry.Record.Session)
            .ToDictionary(entry => new RecordKey(KeySpace.Control, ControlRecords.ExclusionKey(entry.Record.Session, entry.Shard)), entry => entry.Record.Session);
        if (others.Count == 0)
            return [];
        var excluded = await tenant.Ledger.FindAsync(others.Keys, cancellation).ConfigureAwait(false);
        return [.. excluded.Keys.Select(key => others[key])];
    }

    private async Task<Dictionary<string, LedgerEntry>> FindAsync(IEnumerable<string> keys, CancellationToken cancellation)
    {
        RecordKey[] sought = [.. keys.Distinct(StringComparer.Ordinal).Select(key => new RecordKey(KeySpace.Client, key))];
        if (sought.Length == 0)
            return [];
        var found = await tenant.Ledger.FindAsync(sought, cancellation).ConfigureAwait(false);
        return found.ToDictionary(entry => entry.Key.Key, entry => entry.Value, StringComparer.Ordinal);
    }

    private bool IsDerived(StagedEvent staged) => DerivedKey.MayBe(staged.Key) && staged.Key == DerivedKey.Of(tenant.Tenant, staged.Event);
}
