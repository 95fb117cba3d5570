using StripeMeter.Defaults.Wire;
using StripeMeter.EventFiles;
using StripeMeter.EventFormats;
using StripeMeter.Metering.Events;
using StripeMeter.V1;
using Backfills = StripeMeter.V1.BackfillService.BackfillServiceClient;
using FieldError = StripeMeter.V1.FieldError;
using UsageEvent = StripeMeter.V1.UsageEvent;

namespace StripeMeter.Gateway.Backfilling;

/// <summary>
/// Hands the rows of a file to an open backfill, a batch at a time and in their order: the next is read when the one before is
/// durable, so a file takes no more memory than two batches.
/// </summary>
internal sealed class BackfillFeeder(Backfills backfills, string tenant, string id, CancellationToken cancellation)
{
    /// <summary>Events of one call at most.</summary>
    public const int BatchEvents = 500;

    /// <summary>Bytes of one call, about: a batch that has come to so many is handed over.</summary>
    public const int BatchBytes = 256 * 1024;

    private StageEventsRequest _batch = New(tenant, id);
    private int _bytes;

    /// <summary>Rows read so far.</summary>
    public long Rows { get; private set; }

    /// <summary>Hands over all rows of a file.</summary>
    /// <exception cref="EventFileException">It cannot be read to its end, or has too many rows.</exception>
    public async Task FeedAsync(IAsyncEnumerable<EventRow> rows, long maximumRows)
    {
        await foreach (var row in rows.WithCancellation(cancellation).ConfigureAwait(false))
        {
            if (row.Number > maximumRows)
                throw new EventFileException($"The file has more than {maximumRows} rows.");
            if ((row.Problem ?? TimestampProblemOf(row.Draft)) is { } problem)
                await RefuseAsync(row, problem).ConfigureAwait(false);
            else
                await AddAsync(ToEvent(row.Draft), row.Number).ConfigureAwait(false);
        }

        await FlushAsync().ConfigureAwait(false);
    }

    /// <summary>Hands over events of a request, of which each may be one that cannot be read.</summary>
    public async Task FeedAsync(List<ReadEvent> events)
    {
        for (var index = 0; index < events.Count; index++)
        {
            var (usage, error) = events[index];
            if (error is null)
                await AddAsync(usage, index + 1).ConfigureAwait(false);
            else
                await RefuseAsync(new BackfillProblem
                {
                    Row = index + 1, IdempotencyKey = usage.IdempotencyKey, Error = new FieldError { Field = error.Field, Reason = error.Reason },
                }).ConfigureAwait(false);
        }

        await FlushAsync().ConfigureAwait(false);
    }

    private Task AddAsync(UsageEvent usage, long row)
    {
        _batch.Events.Add(usage);
        _batch.Rows.Add(row);
        return CountAsync(usage.CalculateSize());
    }

    private Task RefuseAsync(EventRow row, Metering.Events.FieldError problem) => RefuseAsync(new BackfillProblem
    {
        Row = row.Number, Line = row.Line, IdempotencyKey = row.Draft.Key ?? "",
        Error = new FieldError { Field = problem.Field, Reason = problem.Reason },
    });

    private Task RefuseAsync(BackfillProblem problem)
    {
        _batch.RowProblems.Add(problem);
        return CountAsync(problem.CalculateSize());
    }

    private Task CountAsync(int bytes)
    {
        Rows++;
        _bytes += bytes;
        var isFull = _bytes >= BatchBytes || Math.Max(_batch.Events.Count, _batch.RowProblems.Count) >= BatchEvents;
        return isFull ? FlushAsync() : Task.CompletedTask;
    }

    private async Task FlushAsync()
    {
        if (_batch.Events.Count == 0 && _batch.RowProblems.Count == 0)
            return;
        await backfills.StageEventsAsync(_batch, cancellationToken: cancellation).ConfigureAwait(false);
        (_batch, _bytes) = (New(tenant, id), 0);
    }

    private static StageEventsRequest New(string tenant, string id) => new() { TenantId = tenant, BackfillId = id };

    private static Metering.Events.FieldError? TimestampProblemOf(EventDraft draft) =>
        draft.TimestampProblem is { } problem ? new Metering.Events.FieldError(EventColumns.Timestamp, problem) : null;

    private static UsageEvent ToEvent(EventDraft draft) => new()
    {
        TenantId = draft.Tenant ?? "",
        Metric = draft.Metric ?? "",
        CustomerRef = draft.Customer ?? "",
        ResourceId = draft.Resource ?? "",
        Quantity = draft.Quantity ?? "",
        Timestamp = draft.Timestamp?.ToTimestamp(),
        MetaJson = draft.Meta ?? "",
        IdempotencyKey = draft.Key ?? "",
        Source = (V1.EventSource)draft.Source,
    };
}
