using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using StripeMeter.Cli.Printing;
using StripeMeter.Cli.Rest;
using StripeMeter.EventFiles;

namespace StripeMeter.Cli.Ingesting;

/// <summary>Sends a file in batches, a few at a time. A batch that is not answered is sent again under the same keys.</summary>
internal sealed class FileSender(RestClient rest, string address, IngestTally tally, Progress progress)
{
    /// <summary>Leaves room within the API's limit for a body, 1 MiB by default.</summary>
    private const int MaximumBodyBytes = 768 * 1024;

    /// <summary>Why the rest of the file could not be read; null if all could.</summary>
    public string? Unread { get; private set; }

    public Task SendAsync(IAsyncEnumerable<EventRow> rows, int batchSize, int concurrency, CancellationToken cancellation) =>
        Parallel.ForEachAsync(
            BatchesAsync(rows, batchSize, cancellation),
            new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellation },
            async (batch, stop) =>
            {
                using (batch)
                    tally.Add(batch.Lines, await PostAsync(batch, stop).ConfigureAwait(false));
                progress.Show(tally.ToString());
            });

    private async Task<IEnumerable<JsonNode>> PostAsync(EventBatch batch, CancellationToken cancellation)
    {
        try
        {
            return (await rest.PostAsync(address, batch.Close(), cancellation).ConfigureAwait(false)).Items("results");
        }
        catch (RestException refusal) when (refusal is { Status: HttpStatusCode.BadRequest, Answer: not null }
            && refusal.Answer.Items("results").Count() == batch.Count)
        {
            // Every event breaks a rule: the answer still tells of each.
            return refusal.Answer.Items("results");
        }
    }

    private async IAsyncEnumerable<EventBatch> BatchesAsync(
        IAsyncEnumerable<EventRow> rows, int batchSize, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var batch = new EventBatch();
        await foreach (var row in ReadableAsync(rows, cancellation).ConfigureAwait(false))
        {
            if (ProblemOf(row) is { } problem)
            {
                tally.Refuse(row.Line, problem);
                continue;
            }

            batch.Add(row);
            if (batch.Count < batchSize && batch.Bytes < MaximumBodyBytes)
                continue;
            yield return batch;
            batch = new EventBatch();
        }

        if (batch.Count > 0)
            yield return batch;
        else
            batch.Dispose();
    }

    /// <summary>The rows as far as they can be read: what was read before is to be sent all the same.</summary>
    private async IAsyncEnumerable<EventRow> ReadableAsync(
        IAsyncEnumerable<EventRow> rows, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await using var next = rows.ConfigureAwait(false).WithCancellation(cancellation).GetAsyncEnumerator();
        while (true)
        {
            try
            {
                if (!await next.MoveNextAsync())
                    yield break;
            }
            catch (EventFileException problem)
            {
                Unread = problem.Message;
                yield break;
            }

            yield return next.Current;
        }
    }

    private static string? ProblemOf(EventRow row)
    {
        if (row.Problem is { } problem)
            return $"{EventColumns.RestName(problem.Field)} {problem.Reason}";
        if (row.Draft.TimestampProblem is { } timestamp)
            return $"{EventColumns.RestName(EventColumns.Timestamp)} {timestamp}";
        return IsJsonObject(row.Draft.Meta) ? null : "meta must be a JSON object";
    }

    private static bool IsJsonObject(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return true;
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
