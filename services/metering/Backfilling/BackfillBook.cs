using System.Text.Json;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Backfilling;

/// <summary>What became of asking for a decision.</summary>
/// <param name="Backfill">As it stands now.</param>
/// <param name="Already">It had been decided before.</param>
/// <param name="Refusal">Why it cannot be decided so; null if it can.</param>
public sealed record BackfillDecision(Backfill Backfill, bool Already, string? Refusal);

/// <summary>A page of a listing.</summary>
/// <param name="Backfills">Newest first.</param>
/// <param name="Total">All that match, not only those of the page.</param>
/// <param name="Next">Behind which id the next page begins; null on the last.</param>
public sealed record BackfillPage(IReadOnlyList<Backfill> Backfills, long Total, string? Next);

/// <summary>A page of what is noted of a backfill.</summary>
/// <param name="Notes">In the order of their rows.</param>
/// <param name="Next">Where the next page begins; null on the last.</param>
public sealed record BackfillNotePage<T>(IReadOnlyList<T> Notes, string? Next);

/// <summary>
/// The backfills of one tenant: opening, filling, and deciding. What a decision leaves to be done, <see cref="BackfillRunner"/>
/// does; it is named by a document that is there before the decision is.
/// </summary>
public sealed class BackfillBook(ITenantStore tenant, TimeProvider clock)
{
    /// <summary>Problems kept of one backfill. A file with more cannot be imported.</summary>
    public const int MaximumProblems = 10_000;

    /// <summary>Duplicates listed of one backfill, about. Further ones are counted only.</summary>
    public const int MaximumDuplicates = 10_000;

    private const int PageBackfills = 500;
    private const int MaximumTries = 20;

    /// <summary>An open backfill that takes events says so this often.</summary>
    private static readonly TimeSpan Heartbeat = TimeSpan.FromMinutes(1);

    private readonly IDocuments _documents = tenant.Documents;

    private Instant Now => Instant.Of(clock.GetUtcNow());

    public async Task<Backfill> OpenAsync(Backfill draft, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(draft);
        var opened = draft with { State = BackfillState.Open, Created = Now, Updated = Now };
        // An upload is watched from before it begins: should it break off, its end is found.
        if (opened.Kind == BackfillKind.Import)
            await NameWorkAsync(new BackfillWork(opened.Id, BackfillState.Open, 0), cancellation).ConfigureAwait(false);
        await _documents.WriteAsync(DocumentKind.Backfill, [opened.ToDocument()], cancellation).ConfigureAwait(false);
        return opened;
    }

    public async Task<Backfill?> FindAsync(string id, CancellationToken cancellation) =>
        await _documents.GetAsync(DocumentKind.Backfill, id, cancellation).ConfigureAwait(false) is { } stored ? Backfill.Of(stored) : null;

    /// <summary>Newest first; of one status, or of all.</summary>
    /// <param name="status">Null: of all.</param>
    /// <param name="after">Behind which id the page begins; null at the beginning.</param>
    /// <param name="offset">How many to pass over from there.</param>
    /// <param name="limit">Most of the page.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public async Task<BackfillPage> ListAsync(
        BackfillStatus? status, string? after, int offset, int limit, CancellationToken cancellation)
    {
        var page = new CountedPage<Backfill>(offset, limit);
        var query = new DocumentQuery(DocumentKind.Backfill) { Descending = true, Limit = PageBackfills };
        while (true)
        {
            var found = await _documents.ListAsync(query, cancellation).ConfigureAwait(false);
            foreach (var backfill in found.Select(Backfill.Of).Where(backfill => status is null || backfill.Status == status))
                page.Add(backfill, after is null || string.CompareOrdinal(backfill.Id, after) < 0);

            if (found.Count < PageBackfills)
                return new BackfillPage(page.Items, page.Total, page.HasMore ? page.Items[^1].Id : null);
            query = query with { After = found[^1].Id };
        }
    }

    /// <summary>
    /// Has events wait. Within a backfill the first event under a key stands for it, and a derived key that another event
    /// has is extended, as in the ledger. Null if the backfill does not take events any more: then none of these is sure to be
    /// in it. Sending events again is safe.
    /// </summary>
    /// <param name="id">The backfill.</param>
    /// <param name="events">Events of its scope.</param>
    /// <param name="rows">Their rows in the file; zeros if there was none.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public async Task<IReadOnlyList<EventOutcome>?> StageAsync(
        string id, IReadOnlyList<KeyedEvent> events, IReadOnlyList<long> rows, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(events);
        if (await FindAsync(id, cancellation).ConfigureAwait(false) is not { State: BackfillState.Open } backfill)
            return null;
        if (Now - backfill.Updated > Heartbeat)
            await SaveAsync(backfill with { Updated = Now }, cancellation).ConfigureAwait(false);
        var staged = events.Zip(rows, (sent, row) => StagedEvent.Of(tenant.Tenant, id, sent, row)).ToArray();
        var outcomes = new EventOutcome[staged.Length];
        var open = Enumerable.Range(0, staged.Length).ToList();
        // The first round tries the keys as they are, the second those that were extended in the first.
        while (open.Count > 0)
        {
            var standing = await StandingAsync(open, staged, cancellation).ConfigureAwait(false);
            open = Settle(open, staged, standing, outcomes);
        }

        // Looked at again behind the writes: what is answered as staged was there before anything was decided.
        if (await FindAsync(id, cancellation).ConfigureAwait(false) is { State: BackfillState.Open })
            return outcomes;
        // What came too late to be in it would wait for ever; this has it cleared away.
        await NameWorkAsync(new BackfillWork(id, BackfillState.Committing, 0), cancellation).ConfigureAwait(false);
        return null;
    }

    /// <summary>Keeps rows that cannot be taken. False if there are too many already.</summary>
    public async Task<bool> NoteAsync(string id, IReadOnlyList<BackfillProblem> problems, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(problems);
        if (problems.Count == 0)
            return true;
        if (await CountProblemsAsync(id, cancellation).ConfigureAwait(false) > MaximumProblems)
            return false;
        await _documents.WriteAsync(
            DocumentKind.BackfillProblem, [.. problems.Select(problem => problem.ToDocument(id)).DistinctBy(document => document.Id)], cancellation)
            .ConfigureAwait(false);
        return true;
    }

    /// <summary>Keeps events that were in the ledger already.</summary>
    internal Task NoteDuplicatesAsync(string id, IEnumerable<BackfillDuplicate> duplicates, CancellationToken cancellation)
    {
        StoredDocument[] documents = [.. duplicates.Select(duplicate => duplicate.ToDocument(id)).DistinctBy(document => document.Id)];
        return documents.Length > 0 ? _documents.WriteAsync(DocumentKind.BackfillDuplicate, documents, cancellation) : Task.CompletedTask;
    }

    public Task<BackfillNotePage<BackfillProblem>> ProblemsAsync(string id, string? after, int limit, CancellationToken cancellation) =>
        NotesAsync<BackfillProblem>(DocumentKind.BackfillProblem, id, after, limit, cancellation);

    public Task<BackfillNotePage<BackfillDuplicate>> DuplicatesAsync(string id, string? after, int limit, CancellationToken cancellation) =>
        NotesAsync<BackfillDuplicate>(DocumentKind.BackfillDuplicate, id, after, limit, cancellation);

    private async Task<BackfillNotePage<T>> NotesAsync<T>(
        DocumentKind kind, string id, string? after, int limit, CancellationToken cancellation)
    {
        var found = await _documents.ListAsync(
            new DocumentQuery(kind) { Prefix = StagedEvent.PrefixOf(id), After = after, Limit = limit + 1 }, cancellation).ConfigureAwait(false);
        return new BackfillNotePage<T>(
            [.. found.Take(limit).Select(document => JsonSerializer.Deserialize<T>(document.Body)!)], found.Count > limit ? found[limit - 1].Id : null);
    }

    /// <summary>Decides that the events count. From then on they are appended, whatever crashes.</summary>
    /// <param name="id">The backfill.</param>
    /// <param name="rows">Rows of its file, also refused ones; 0 if there is no file.</param>
    /// <param name="contentDigest">Hash of its file; empty if there is none.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public Task<BackfillDecision> CommitAsync(string id, long rows, string contentDigest, CancellationToken cancellation) => DecideAsync(
        id,
        async backfill => backfill.State switch
        {
            BackfillState.Open => (null, backfill with
            {
                State = BackfillState.Committing, CommitDecided = Now, Rows = rows, ContentDigest = contentDigest,
                Staged = await _documents.CountAsync(DocumentKind.StagedEvent, StagedEvent.PrefixOf(id), cancellation).ConfigureAwait(false),
                Refused = await CountProblemsAsync(id, cancellation).ConfigureAwait(false),
            }),
            BackfillState.Committing or BackfillState.Committed => (null, backfill),
            _ => ("The backfill was given up or taken back.", backfill),
        },
        cancellation);

    /// <summary>
    /// Decides that the events do not count: those that wait are dropped, those that were appended are excluded. Their keys
    /// stay used.
    /// </summary>
    /// <param name="id">The backfill.</param>
    /// <param name="actor">Who decides.</param>
    /// <param name="note">What they have to say about it.</param>
    /// <param name="problem">Why its file cannot be read to the end; empty if that is not the reason.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public Task<BackfillDecision> RevertAsync(
        string id, string actor, string note, string problem, CancellationToken cancellation) => DecideAsync(
        id,
        backfill => Task.FromResult<(string?, Backfill)>(backfill.State switch
        {
            BackfillState.Reverting or BackfillState.Reverted => (null, backfill),
            BackfillState.Committed when backfill.DryRun => ("A dry run has changed nothing.", backfill),
            _ when problem.Length > 0 && backfill.State != BackfillState.Open => ("The backfill was committed.", backfill),
            _ => (null, backfill with
            {
                State = BackfillState.Reverting, RevertedBy = actor, Note = note, Problem = problem, Ended = null,
                CommitDecided = backfill.DryRun ? null : backfill.CommitDecided, Page = [],
            }),
        }),
        cancellation);

    /// <summary>Names work before it is decided: whoever finds the name and nothing decided leaves both, for as long as that may still come.</summary>
    private async Task<BackfillDecision> DecideAsync(
        string id, Func<Backfill, Task<(string? Refusal, Backfill Decided)>> decide, CancellationToken cancellation)
    {
        for (var attempt = 0; attempt < MaximumTries; attempt++)
        {
            var backfill = await FindAsync(id, cancellation).ConfigureAwait(false) ?? throw new KeyNotFoundException(id);
            var (refusal, decided) = await decide(backfill).ConfigureAwait(false);
            if (refusal is not null || ReferenceEquals(decided, backfill))
                return new BackfillDecision(backfill, refusal is null, refusal);
            await NameWorkAsync(new BackfillWork(id, decided.State, backfill.Revision), cancellation).ConfigureAwait(false);
            if (await SaveAsync(decided with { Updated = Now }, cancellation).ConfigureAwait(false))
                return new BackfillDecision(decided, false, null);
        }

        throw new StoreUnavailableException("The backfill changes too fast to be decided on.");
    }

    /// <summary>False if it was changed meanwhile.</summary>
    internal async Task<bool> SaveAsync(Backfill backfill, CancellationToken cancellation) =>
        (await _documents.WriteAsync(DocumentKind.Backfill, [backfill.ToDocument()], cancellation).ConfigureAwait(false))[0];

    private async Task NameWorkAsync(BackfillWork work, CancellationToken cancellation) => await _documents.WriteAsync(
        DocumentKind.BackfillWork, [work.ToDocument(Now)], cancellation).ConfigureAwait(false);

    private Task<long> CountProblemsAsync(string id, CancellationToken cancellation) =>
        _documents.CountAsync(DocumentKind.BackfillProblem, StagedEvent.PrefixOf(id), cancellation);

    /// <summary>Writes the first open event of every id. Returns what stands under each id now.</summary>
    private async Task<Dictionary<string, StagedEvent>> StandingAsync(
        List<int> open, StagedEvent[] staged, CancellationToken cancellation)
    {
        var firsts = open.Select(index => staged[index]).DistinctBy(candidate => candidate.Id).ToArray();
        var written = await _documents.WriteAsync(
            DocumentKind.StagedEvent, Array.ConvertAll(firsts, first => first.ToDocument()), cancellation).ConfigureAwait(false);
        var standing = new Dictionary<string, StagedEvent>(StringComparer.Ordinal);
        foreach (var (first, isNew) in firsts.Zip(written))
        {
            var known = isNew ? null : await _documents.GetAsync(DocumentKind.StagedEvent, first.Id, cancellation).ConfigureAwait(false);
            // One that is gone again was there when the backfill came to its end, which is looked at last.
            standing.Add(first.Id, known is { } document ? StagedEvent.Of(document) : first);
        }

        return standing;
    }

    /// <summary>Answers every open event by what stands under its id. Returns those that go on under an extended one.</summary>
    private List<int> Settle(
        List<int> open, StagedEvent[] staged, Dictionary<string, StagedEvent> standing, EventOutcome[] outcomes)
    {
        var extended = new List<int>();
        foreach (var index in open)
        {
            var (candidate, stands) = (staged[index], standing[staged[index].Id]);
            var same = stands.Fingerprint == candidate.Fingerprint;
            if (!same && candidate.IsExtendable(tenant.Tenant))
            {
                staged[index] = candidate.Extended();
                extended.Add(index);
                continue;
            }

            // The same row once more is the same event once more: a request that was not answered, sent again.
            var isFirst = ReferenceEquals(stands, candidate) || (candidate.Row > 0 && stands.Row == candidate.Row);
            var status = !same ? IngestStatus.Conflict : isFirst ? IngestStatus.Accepted : IngestStatus.Duplicate;
            outcomes[index] = new EventOutcome(status, candidate.Key, Late: false);
        }

        return extended;
    }
}
