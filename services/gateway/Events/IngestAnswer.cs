using System.Text.Json;
using StripeMeter.Gateway.Errors;
using StripeMeter.Gateway.Requests;
using StripeMeter.V1;

namespace StripeMeter.Gateway.Events;

/// <summary>What became of the events of a request, in their order.</summary>
internal sealed class IngestAnswer
{
    private readonly IngestResult[] _results;
    private readonly int _accepted;
    private readonly int _duplicates;
    private readonly int _conflicts;

    public IngestAnswer(IngestResult[] results)
    {
        _results = results;
        var errors = new List<ProblemError>();
        foreach (var result in results)
        {
            switch (result.Status)
            {
                case IngestStatus.Accepted: _accepted++; break;
                case IngestStatus.Duplicate: _duplicates++; break;
                case IngestStatus.Conflict: _conflicts++; break;
                default: errors.Add(ToError(result)); break;
            }
        }

        Errors = errors;
    }

    public IReadOnlyList<ProblemError> Errors { get; }

    /// <summary>Answers the request: with a problem if no event keeps the rules.</summary>
    public async Task SendAsync(HttpContext context)
    {
        if (Errors.Count == _results.Length)
        {
            await ProblemWriter.WriteAsync(context, Problem.EveryEventRefused() with { Errors = Errors }, WriteMembers).ConfigureAwait(false);
            return;
        }

        context.Response.ContentType = Json.ContentType;
        await using (var writer = new Utf8JsonWriter(context.Response.BodyWriter, Json.WriterOptions))
            Write(writer, context.TraceIdentifier);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted).ConfigureAwait(false);
    }

    public void Write(Utf8JsonWriter writer, string requestId)
    {
        writer.WriteStartObject();
        WriteCounts(writer, _accepted, _duplicates, _conflicts);
        writer.WriteString("requestId", requestId);
        WriteResults(writer);
        if (Errors.Count > 0)
            ProblemWriter.WriteErrors(writer, Errors);
        writer.WriteEndObject();
    }

    /// <summary>The members that a problem document carries beside its own.</summary>
    public void WriteMembers(Utf8JsonWriter writer)
    {
        WriteCounts(writer, _accepted, _duplicates, _conflicts);
        WriteResults(writer);
    }

    public static void WriteCounts(Utf8JsonWriter writer, int accepted, int duplicates, int conflicts)
    {
        writer.WriteNumber("accepted", accepted);
        writer.WriteNumber("duplicates", duplicates);
        writer.WriteNumber("conflicts", conflicts);
    }

    private void WriteResults(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("results");
        foreach (var result in _results)
            WriteResult(writer, result);
        writer.WriteEndArray();
    }

    private static void WriteResult(Utf8JsonWriter writer, IngestResult result)
    {
        writer.WriteStartObject();
        writer.WriteNumber("index", result.Index);
        writer.WriteString("idempotencyKey", result.IdempotencyKey);
        writer.WriteString("status", result.Status switch
        {
            IngestStatus.Accepted => "accepted"u8,
            IngestStatus.Duplicate => "duplicate"u8,
            IngestStatus.Conflict => "conflict"u8,
            _ => "error"u8,
        });
        if (result.Late)
            writer.WriteBoolean("late", true);
        if (result.Error is not null)
        {
            var error = ToError(result);
            writer.WriteString("error", error.ToString());
            writer.WriteString("field", error.Field);
            writer.WriteString("reason", error.Reason);
        }

        if (result.Differences.Count > 0)
            WriteDifferences(writer, result);
        writer.WriteEndObject();
    }

    private static void WriteDifferences(Utf8JsonWriter writer, IngestResult result)
    {
        writer.WriteStartArray("differences");
        foreach (var difference in result.Differences)
        {
            writer.WriteStartObject();
            writer.WriteString("field", RestNames.Of(difference.Field).Field);
            writer.WriteString("sent", difference.Sent);
            writer.WriteString("standing", difference.Standing);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static ProblemError ToError(IngestResult result) =>
        new(RestNames.Of(result.Error?.Field ?? "").Field, result.Error?.Reason ?? "", (int)result.Index);
}
