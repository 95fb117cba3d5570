using StripeMeter.Defaults.Errors;
using StripeMeter.Ingest.Ingesting;
using StripeMeter.Metering.Backfilling;
using StripeMeter.Metering.Events;
using StripeMeter.Metering.Ledger;
using StripeMeter.Metering.Stores;
using StripeMeter.Metering.Tenants;
using StripeMeter.Metering.Time;
using StripeMeter.V1;
using BackfillProblem = StripeMeter.Metering.Backfilling.BackfillProblem;
using FieldError = StripeMeter.Metering.Events.FieldError;

namespace StripeMeter.Ingest.Backfilling;

/// <summary>Checks events of a backfill as any others, and by its scope, and has those that pass wait.</summary>
public sealed class EventStager(IMeterStore store, IngestOptions options, BackfillInstruments instruments, TimeProvider clock)
{
    private readonly EventRules _rules = new(options.ToEventLimits());

    /// <summary>Answers one result per event, in their order.</summary>
    public async Task<StageEventsResponse> StageAsync(TenantId tenant, StageEventsRequest request, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(request);
        CheckCounts(request);
        var book = new BackfillBook(store.Of(tenant), clock);
        var backfill = await book.FindAsync(request.BackfillId, cancellation).ConfigureAwait(false)
            ?? throw RpcErrors.NotFound($"The backfill '{request.BackfillId}'");
        if (backfill.State != BackfillState.Open)
            throw NotOpen();

        var results = new IngestResult[request.Events.Count];
        var (sound, problems) = Check(tenant, backfill.Scope, request, results);
        if (!await book.NoteAsync(backfill.Id, problems, cancellation).ConfigureAwait(false))
            throw RpcErrors.FailedPrecondition("TOO_MANY_PROBLEMS", $"More than {BackfillBook.MaximumProblems} rows of the backfill are refused.");
        var outcomes = await book.StageAsync(
            backfill.Id, sound.ConvertAll(item => item.Event), sound.ConvertAll(item => RowOf(request, item.Index)), cancellation)
            .ConfigureAwait(false) ?? throw NotOpen();
        var clashes = Answer(request, sound, outcomes, results);
        await book.NoteAsync(backfill.Id, clashes, cancellation).ConfigureAwait(false);
        foreach (var status in results.CountBy(result => result.Status))
            instruments.Staged(status.Key.ToString().ToLowerInvariant(), status.Value);
        var response = new StageEventsResponse();
        response.Results.AddRange(results);
        return response;
    }

    private void CheckCounts(StageEventsRequest request)
    {
        if (request.Events.Count > options.MaximumBatchEvents || (request.Events.Count == 0 && request.RowProblems.Count == 0))
            throw RpcErrors.Invalid("events", $"must be 1 to {options.MaximumBatchEvents}, not {request.Events.Count}");
        if (request.Rows.Count > 0 && request.Rows.Count != request.Events.Count)
            throw RpcErrors.Invalid("rows", "must be as many as the events");
        if (request.RowProblems.Count > options.MaximumBatchEvents)
            throw RpcErrors.Invalid("row_problems", $"must be at most {options.MaximumBatchEvents}");
    }

    /// <summary>Tells events that may wait from rows that may not.</summary>
    private (List<IndexedEvent> Sound, List<BackfillProblem> Problems) Check(
        TenantId tenant, BackfillScope scope, StageEventsRequest request, IngestResult[] results)
    {
        var now = Instant.Of(clock.GetUtcNow());
        var sound = new List<IndexedEvent>();
        List<BackfillProblem> problems =
        [
            .. request.RowProblems.Select(problem => new BackfillProblem(
                problem.Row, problem.Line, problem.IdempotencyKey, problem.Error?.Field ?? "", problem.Error?.Reason ?? "")),
        ];
        for (var index = 0; index < results.Length; index++)
        {
            var draft = request.Events[index].ToDraft("", index);
            var error = _rules.Check(draft, now, out var named, out var usage)
                ?? (named == tenant ? scope.Check(usage!) : new FieldError("tenant_id", "must be the tenant of the backfill"));
            if (error is null)
            {
                sound.Add(new IndexedEvent(index, new KeyedEvent(usage!, draft.Key)));
                continue;
            }

            results[index] = Result(index, V1.IngestStatus.Error, draft.Key ?? "", error);
            if (RowOf(request, index) is var row and > 0)
                problems.Add(new BackfillProblem(row, 0, draft.Key ?? "", error.Field, error.Reason));
        }

        return (sound, problems);
    }

    /// <summary>Fills in what became of the events that may wait. Returns the rows that clash with others of the same backfill.</summary>
    private static List<BackfillProblem> Answer(
        StageEventsRequest request, List<IndexedEvent> sound, IReadOnlyList<EventOutcome> outcomes, IngestResult[] results)
    {
        var clashes = new List<BackfillProblem>();
        foreach (var (item, outcome) in sound.Zip(outcomes))
        {
            var clash = outcome.Status == Metering.Ledger.IngestStatus.Conflict
                ? new FieldError("idempotency_key", "names another event of the same backfill, which stands")
                : null;
            results[item.Index] = Result(item.Index, outcome.Status.ToWire(), outcome.Key, clash);
            if (clash is not null && RowOf(request, item.Index) is var row and > 0)
                clashes.Add(new BackfillProblem(row, 0, outcome.Key, clash.Field, clash.Reason));
        }

        return clashes;
    }

    private static IngestResult Result(int index, V1.IngestStatus status, string key, FieldError? error) => new()
    {
        Index = (ulong)index,
        Status = status,
        IdempotencyKey = key,
        Error = error is null ? null : new V1.FieldError { Field = error.Field, Reason = error.Reason },
    };

    private static long RowOf(StageEventsRequest request, int index) => request.Rows.Count > 0 ? request.Rows[index] : 0;

    private static Grpc.Core.RpcException NotOpen() =>
        RpcErrors.FailedPrecondition("BACKFILL_STATE", "The backfill does not take events any more.");

    private readonly record struct IndexedEvent(int Index, KeyedEvent Event);
}
