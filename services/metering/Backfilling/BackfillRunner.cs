using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Backfilling;

/// <summary>Bounds of the work on backfills.</summary>
public sealed record BackfillOptions
{
    /// <summary>Staged events read, and appended, at a time.</summary>
    public int PageEvents { get; init; } = 500;

    /// <summary>Backfills worked on at a time.</summary>
    public int Parallelism { get; init; } = 2;

    /// <summary>Steps of one backfill before others have their turn.</summary>
    public int TurnSteps { get; init; } = 20;
}

/// <summary>Is told what is new in the ledger.</summary>
public delegate void RecordsAppended(ShardId shard, IReadOnlyList<Countable> records);

/// <summary>
/// Does what deciding on a backfill left to do: appends its events in pages, or excludes them, and clears away. Every step can be
/// done again, by anyone and by several at once: events stand once by their keys, exclusions by theirs, and progress is saved
/// by compare-and-set.
/// </summary>
public sealed class BackfillRunner(ITenantStore tenant, TimeProvider clock, BackfillOptions options, RecordsAppended appended)
{
    private readonly BackfillBook _book = new(tenant, clock);
    private readonly Appender _appender = new(tenant.Tenant, tenant.Ledger, (_, _) => null, clock);

    private Instant Now => Instant.Of(clock.GetUtcNow());

    /// <summary>
    /// Carries out what a document of kind <see cref="DocumentKind.BackfillWork"/> names, for so many steps. Returns whether there is
    /// more to do.
    /// </summary>
    public async Task<bool> RunAsync(string workId, int steps, CancellationToken cancellation)
    {
        while (await StepAsync(BackfillWork.Of(workId), cancellation).ConfigureAwait(false))
        {
            if (--steps == 0)
                return true;
        }

        return false;
    }

    /// <summary>Does one step. False if there is nothing to do, or not yet: what is named is decided a moment later, or never.</summary>
    private async Task<bool> StepAsync(BackfillWork work, CancellationToken cancellation)
    {
        var backfill = await _book.FindAsync(work.Backfill, cancellation).ConfigureAwait(false);
        switch (backfill?.State)
        {
            case BackfillState.Committing:
                await AppendPageAsync(backfill, cancellation).ConfigureAwait(false);
                return true;
            case BackfillState.Reverting:
                await ExcludeAsync(backfill, cancellation).ConfigureAwait(false);
                return true;
            default:
                return work.IsDone(backfill?.State) && await ClearAsync(work, cancellation).ConfigureAwait(false);
        }
    }

    private async Task AppendPageAsync(Backfill backfill, CancellationToken cancellation)
    {
        var page = await ReadAsync(tenant, backfill.Id, backfill.Cursor, options.PageEvents, cancellation).ConfigureAwait(false);
        if (page.Count == 0)
        {
            await _book.SaveAsync(
                backfill with { State = BackfillState.Committed, Staged = backfill.Tally.Processed, Ended = Now, Updated = Now }, cancellation)
                .ConfigureAwait(false);
            return;
        }

        var outlook = new BackfillOutlook(tenant, backfill.Id);
        var outcomes = backfill.DryRun
            ? await outlook.LookAsync(page, cancellation).ConfigureAwait(false)
            : await outlook.JudgeAsync(page, await AppendAsync(backfill.Id, page, cancellation).ConfigureAwait(false), cancellation)
                .ConfigureAwait(false);
        // Should saving fail, the page is done again, and its problems are the same documents.
        await _book.NoteAsync(backfill.Id, [.. outcomes.Select(ProblemOf).OfType<BackfillProblem>()], cancellation).ConfigureAwait(false);
        await _book.SaveAsync(
            backfill with
            {
                Cursor = page[^1].Id, Updated = Now,
                Tally = outcomes.Aggregate(backfill.Tally, (tally, outcome) => tally + outcome.ToTally()),
            },
            cancellation).ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<EventOutcome>> AppendAsync(
        string id, IReadOnlyList<StagedEvent> page, CancellationToken cancellation)
    {
        var batch = await _appender.AppendAsync([.. page.Select(staged => staged.ToKeyed())], id, cancellation).ConfigureAwait(false);
        Tell(batch.Appended);
        return batch.Outcomes;
    }

    /// <summary>What was never to be counted needs no exclusion: nothing of it can be in the ledger.</summary>
    private async Task ExcludeAsync(Backfill backfill, CancellationToken cancellation)
    {
        if (backfill.CommitDecided is not null)
        {
            var now = Now;
            var controls = await new ControlAppender(tenant.Ledger).AppendToAllShardsAsync(
                shard => ControlRecords.SessionExcluded(backfill.Id, shard, backfill.RevertedBy, now), cancellation).ConfigureAwait(false);
            Tell(controls.Appended);
        }

        await _book.SaveAsync(backfill with { State = BackfillState.Reverted, Ended = Now, Updated = Now }, cancellation).ConfigureAwait(false);
    }

    /// <summary>Drops what waited, and then the name of the work.</summary>
    private async Task<bool> ClearAsync(BackfillWork work, CancellationToken cancellation)
    {
        if (await tenant.Documents.DeleteAsync(DocumentKind.StagedEvent, StagedEvent.PrefixOf(work.Backfill), options.PageEvents, cancellation)
            .ConfigureAwait(false) > 0)
        {
            return true;
        }

        await tenant.Documents.DeleteAsync(DocumentKind.BackfillWork, work.Id, 1, cancellation).ConfigureAwait(false);
        return false;
    }

    private void Tell(IReadOnlyDictionary<int, IReadOnlyList<Countable>> records)
    {
        foreach (var (shard, fresh) in records)
            appended(new ShardId(tenant.Tenant, shard), fresh);
    }

    private static BackfillProblem? ProblemOf(StagedOutcome outcome) => outcome.Status != IngestStatus.Conflict
        ? null
        : new BackfillProblem(
            outcome.Staged.Row, 0, outcome.Staged.Key, "idempotency_key", "names another event, which stands in the ledger");

    /// <summary>Staged events behind one, in the order of their names.</summary>
    internal static async Task<IReadOnlyList<StagedEvent>> ReadAsync(
        ITenantStore tenant, string backfill, string after, int limit, CancellationToken cancellation)
    {
        var query = new DocumentQuery(DocumentKind.StagedEvent)
        {
            Prefix = StagedEvent.PrefixOf(backfill), After = after.Length > 0 ? after : null, Limit = limit,
        };
        var found = await tenant.Documents.ListAsync(query, cancellation).ConfigureAwait(false);
        return [.. found.Select(StagedEvent.Of)];
    }
}
