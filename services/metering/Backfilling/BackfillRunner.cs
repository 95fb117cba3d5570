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

    /// <summary>How long an upload may bring nothing before it is given up.</summary>
    public TimeSpan UploadPatience { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long a decision may take from its name to itself before it is made impossible, and the name goes.</summary>
    public TimeSpan DecisionPatience { get; init; } = TimeSpan.FromMinutes(10);
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
        var ahead = new PageAhead();
        while (await StepAsync(BackfillWork.Of(workId), ahead, cancellation).ConfigureAwait(false))
        {
            if (--steps == 0)
                return true;
        }

        return false;
    }

    /// <summary>Does one step. False if there is nothing to do, or not yet: what is named is decided a moment later, or never.</summary>
    private async Task<bool> StepAsync(BackfillWork work, PageAhead ahead, CancellationToken cancellation)
    {
        var backfill = await _book.FindAsync(work.Backfill, cancellation).ConfigureAwait(false);
        if (work.IsDone(backfill?.State))
            return await ClearAsync(work, cancellation).ConfigureAwait(false);
        switch (backfill?.State)
        {
            // Who watches an upload leaves what was decided on it to those who have its name.
            case BackfillState.Committing or BackfillState.Reverting when work.Decided == BackfillState.Open:
                return false;
            case BackfillState.Committing:
                await AppendPageAsync(backfill, ahead, cancellation).ConfigureAwait(false);
                return true;
            case BackfillState.Reverting:
                await ExcludeAsync(backfill, cancellation).ConfigureAwait(false);
                return true;
            default:
                return await (work.Decided == BackfillState.Open ? WatchAsync(work, backfill, cancellation) : AwaitAsync(work, backfill!, cancellation))
                    .ConfigureAwait(false);
        }
    }

    /// <summary>Gives an upload up that brings nothing any more.</summary>
    private async Task<bool> WatchAsync(BackfillWork work, Backfill? backfill, CancellationToken cancellation)
    {
        if (backfill is null)
            return await IsOlderAsync(work, options.UploadPatience, cancellation).ConfigureAwait(false) && await ForgetAsync(work, cancellation).ConfigureAwait(false);
        if (Now - backfill.Updated <= options.UploadPatience)
            return false;
        await _book.RevertAsync(
            backfill.Id, "system", "", FormattableString.Invariant($"Its upload broke off: nothing came for {options.UploadPatience.Ticks / TimeSpan.TicksPerMinute} minutes."),
            cancellation).ConfigureAwait(false);
        return false;
    }

    /// <summary>
    /// A decision is written over the revision that its name tells. If the document has moved on, it cannot come any more; if it is long
    /// in coming, the document is moved on, so that whoever still wants it decides anew, under a new name.
    /// </summary>
    private async Task<bool> AwaitAsync(BackfillWork work, Backfill backfill, CancellationToken cancellation)
    {
        if (work.Revision < backfill.Revision)
            return await ForgetAsync(work, cancellation).ConfigureAwait(false);
        if (await IsOlderAsync(work, options.DecisionPatience, cancellation).ConfigureAwait(false))
            await _book.SaveAsync(backfill, cancellation).ConfigureAwait(false);
        return false;
    }

    private async Task<bool> IsOlderAsync(BackfillWork work, TimeSpan age, CancellationToken cancellation) =>
        await tenant.Documents.GetAsync(DocumentKind.BackfillWork, work.Id, cancellation).ConfigureAwait(false) is { } named
        && Now - BackfillWork.NamedAt(named) > age;

    private async Task AppendPageAsync(Backfill backfill, PageAhead ahead, CancellationToken cancellation)
    {
        if (backfill.Page.Count == 0)
        {
            await TurnPageAsync(backfill, ahead, cancellation).ConfigureAwait(false);
            return;
        }

        var page = ahead.Of(backfill) ?? await ReadPageAsync(backfill, cancellation).ConfigureAwait(false);
        var outlook = new BackfillOutlook(tenant, backfill.Id);
        var outcomes = backfill.DryRun
            ? await outlook.LookAsync(page, cancellation).ConfigureAwait(false)
            : await outlook.JudgeAsync(page, await AppendAsync(backfill.Id, page, cancellation).ConfigureAwait(false), cancellation)
                .ConfigureAwait(false);
        // Should saving fail, the page is done again, and what is noted of it is the same documents.
        await _book.NoteAsync(backfill.Id, [.. outcomes.Select(ProblemOf).OfType<BackfillProblem>()], cancellation).ConfigureAwait(false);
        if (backfill.Tally.Duplicates < BackfillBook.MaximumDuplicates)
            await _book.NoteDuplicatesAsync(backfill.Id, outcomes.Select(DuplicateOf).OfType<BackfillDuplicate>(), cancellation).ConfigureAwait(false);
        await TurnPageAsync(
            backfill with { Cursor = page[^1].Id, Tally = outcomes.Aggregate(backfill.Tally, (tally, outcome) => tally + outcome.ToTally()) },
            ahead, cancellation).ConfigureAwait(false);
    }

    /// <summary>Saves how far it has come together with what comes next: from then on that page is these events, whoever appends it.</summary>
    private async Task TurnPageAsync(Backfill backfill, PageAhead ahead, CancellationToken cancellation)
    {
        var next = await ReadAsync(tenant, backfill.Id, backfill.Cursor, options.PageEvents, cancellation).ConfigureAwait(false);
        var prefix = StagedEvent.PrefixOf(backfill.Id).Length;
        var turned = next.Count > 0
            ? backfill with { Page = [.. next.Select(staged => staged.Id[prefix..])], Updated = Now }
            : backfill with { Page = [], State = BackfillState.Committed, Staged = backfill.Tally.Processed, Ended = Now, Updated = Now };
        ahead.Events = next;
        await _book.SaveAsync(turned, cancellation).ConfigureAwait(false);
    }

    /// <summary>The events of the page, in their order. None is missing: what waits is dropped only behind the end.</summary>
    private async Task<IReadOnlyList<StagedEvent>> ReadPageAsync(Backfill backfill, CancellationToken cancellation)
    {
        var prefix = StagedEvent.PrefixOf(backfill.Id);
        var sought = backfill.Page.Select(name => prefix + name).ToHashSet(StringComparer.Ordinal);
        var found = new List<StagedEvent>(sought.Count);
        for (var after = backfill.Cursor; found.Count < sought.Count;)
        {
            // Between them may stand what came too late.
            var read = await ReadAsync(tenant, backfill.Id, after, sought.Count - found.Count, cancellation).ConfigureAwait(false);
            if (read.Count == 0)
                throw new StoreUnavailableException($"The backfill {backfill.Id} was brought to its end by another process, or lacks events.");
            found.AddRange(read.Where(staged => sought.Contains(staged.Id)));
            after = read[^1].Id;
        }

        return found;
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

        return await ForgetAsync(work, cancellation).ConfigureAwait(false);
    }

    /// <summary>Always false: there is nothing more to do.</summary>
    private async Task<bool> ForgetAsync(BackfillWork work, CancellationToken cancellation)
    {
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

    private static BackfillDuplicate? DuplicateOf(StagedOutcome outcome) => outcome is { Status: IngestStatus.Duplicate, Standing: { } standing }
        ? new BackfillDuplicate(outcome.Staged.Row, standing.Record.Key, standing.Shard, standing.Position, standing.Record.Session, outcome.IsBuried)
        : null;

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

    /// <summary>What was read when the page was turned, so that it need not be read again if that is the page now.</summary>
    private sealed class PageAhead
    {
        public IReadOnlyList<StagedEvent> Events { get; set; } = [];

        public IReadOnlyList<StagedEvent>? Of(Backfill backfill)
        {
            var prefix = StagedEvent.PrefixOf(backfill.Id);
            return Events.Select(staged => staged.Id).SequenceEqual(backfill.Page.Select(name => prefix + name)) ? Events : null;
        }
    }
}
