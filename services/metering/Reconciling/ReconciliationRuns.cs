using System.Globalization;
using System.Text.Json;
using StripeMeter.Metering.Documents;
using StripeMeter.Metering.Time;

namespace StripeMeter.Metering.Reconciling;

/// <summary>
/// The runs of one tenant. Each is a document that whoever runs it claims by compare-and-set, so that of several
/// reconcilers one does; a second document names it until it is over, so that it is found again after a crash.
/// </summary>
public sealed class ReconciliationRuns(IDocuments documents, ReconciliationRules rules, TimeProvider clock)
{
    /// <summary>How long a run is left to who claimed it.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromMinutes(10);

    private Instant Now => Instant.Of(clock.GetUtcNow());

    /// <summary>Records a run to be made at once.</summary>
    public async Task<ReconciliationRun> RequestAsync(bool isFull, string unique, CancellationToken cancellation)
    {
        var now = Now;
        var run = new ReconciliationRun { Id = IdOf(now, unique), IsFull = isFull, Created = now };
        await AddAsync(run, cancellation).ConfigureAwait(false);
        return run;
    }

    /// <summary>Records the run of a turn of the cadence. However many ask, there is one.</summary>
    public async Task ScheduleAsync(TimeSpan interval, CancellationToken cancellation)
    {
        var turn = new Instant(Now.Ticks / interval.Ticks * interval.Ticks);
        var id = IdOf(turn, "scheduled");
        if (await documents.GetAsync(DocumentKind.ReconciliationRun, id, cancellation).ConfigureAwait(false) is null)
            await AddAsync(new ReconciliationRun { Id = id, Created = Now }, cancellation).ConfigureAwait(false);
    }

    public async Task<ReconciliationRun?> FindAsync(string id, CancellationToken cancellation) =>
        await documents.GetAsync(DocumentKind.ReconciliationRun, id, cancellation).ConfigureAwait(false) is { } stored ? Read(stored) : null;

    /// <summary>The newest, newest first.</summary>
    public async Task<IReadOnlyList<ReconciliationRun>> ListAsync(int limit, CancellationToken cancellation)
    {
        var query = new DocumentQuery(DocumentKind.ReconciliationRun) { Descending = true, Limit = limit };
        return [.. (await documents.ListAsync(query, cancellation).ConfigureAwait(false)).Select(Read)];
    }

    /// <summary>Claims the oldest run that is not over and nobody makes; null if there is none.</summary>
    public async Task<ReconciliationRun?> ClaimAsync(CancellationToken cancellation)
    {
        var open = await documents.ListAsync(new DocumentQuery(DocumentKind.ReconciliationWork), cancellation).ConfigureAwait(false);
        foreach (var (id, _, _) in open)
        {
            if (await documents.GetAsync(DocumentKind.ReconciliationRun, id, cancellation).ConfigureAwait(false) is not { } stored || Read(stored).IsOver)
            {
                await documents.DeleteAsync(DocumentKind.ReconciliationWork, id, 1, cancellation).ConfigureAwait(false);
                continue;
            }

            var run = Read(stored);
            if (run.LeaseUntil > Now)
                continue;
            var claimed = run with { State = RunState.Running, Started = run.Started ?? Now, LeaseUntil = Now + Lease };
            if (await WriteAsync(claimed, stored.Revision, cancellation).ConfigureAwait(false))
                return claimed;
        }

        return null;
    }

    /// <summary>Says how a run that was claimed goes on, or ended. False if it is another's by now.</summary>
    public async Task<bool> EnterAsync(ReconciliationRun run, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(run);
        if (await documents.GetAsync(DocumentKind.ReconciliationRun, run.Id, cancellation).ConfigureAwait(false) is not { } stored || Read(stored).IsOver)
            return false;
        if (!await WriteAsync(run with { LeaseUntil = run.IsOver ? null : Now + Lease }, stored.Revision, cancellation).ConfigureAwait(false))
            return false;
        if (run.IsOver)
        {
            await documents.DeleteAsync(DocumentKind.ReconciliationWork, run.Id, 1, cancellation).ConfigureAwait(false);
            await documents.TrimAsync(DocumentKind.ReconciliationRun, rules.KeptRuns, cancellation).ConfigureAwait(false);
        }

        return true;
    }

    private async Task AddAsync(ReconciliationRun run, CancellationToken cancellation)
    {
        await WriteAsync(run, 0, cancellation).ConfigureAwait(false);
        await documents.WriteAsync(DocumentKind.ReconciliationWork, [new StoredDocument(run.Id, "{}", 0)], cancellation).ConfigureAwait(false);
    }

    private async Task<bool> WriteAsync(ReconciliationRun run, long revision, CancellationToken cancellation)
    {
        var stored = new Stored(
            run.Id, run.IsFull, run.State, run.Created.Ticks, run.Started?.Ticks, run.Ended?.Ticks, run.LeaseUntil?.Ticks, run.Tally, run.Problem);
        var written = await documents.WriteAsync(
            DocumentKind.ReconciliationRun, [new StoredDocument(run.Id, JsonSerializer.Serialize(stored), revision)], cancellation).ConfigureAwait(false);
        return written[0];
    }

    private static ReconciliationRun Read(StoredDocument document)
    {
        var stored = JsonSerializer.Deserialize<Stored>(document.Body) ?? throw new FormatException("A stored run is empty.");
        return new ReconciliationRun
        {
            Id = stored.Id, IsFull = stored.IsFull, State = stored.State, Created = new Instant(stored.Created), Started = Instant(stored.Started),
            Ended = Instant(stored.Ended), LeaseUntil = Instant(stored.LeaseUntil), Tally = stored.Tally, Problem = stored.Problem,
        };

        static Instant? Instant(long? ticks) => ticks is { } known ? new Instant(known) : null;
    }

    private static string IdOf(Instant instant, string unique) => string.Create(CultureInfo.InvariantCulture, $"{instant.Ticks:D19}-{unique}");

    private sealed record Stored(
        string Id, bool IsFull, RunState State, long Created, long? Started, long? Ended, long? LeaseUntil, RunTally Tally, string Problem);
}
