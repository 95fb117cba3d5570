using System.Globalization;
using System.Text.Json;
using StripeMeter.Gateway.Requests;

namespace StripeMeter.Gateway.Errors;

/// <summary>Writes problem documents: <c>application/problem+json</c>, RFC 9457.</summary>
public static class ProblemWriter
{
    public const string ContentType = "application/problem+json";

    /// <param name="context">The request.</param>
    /// <param name="problem">What is wrong.</param>
    /// <param name="writeMembers">Further members. Null: the envelope of the route.</param>
    public static async Task WriteAsync(HttpContext context, Problem problem, Action<Utf8JsonWriter>? writeMembers = null)
    {
        var response = context.Response;
        response.StatusCode = problem.Status;
        response.ContentType = ContentType;
        if (problem.RetryAfter is { } retryAfter)
            response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(retryAfter.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        writeMembers ??= context.GetEndpoint()?.Metadata.GetMetadata<ErrorEnvelope>() is { } envelope ? envelope.Write : null;
        await using (var writer = new Utf8JsonWriter(response.BodyWriter, Json.WriterOptions))
            Write(writer, context, problem, writeMembers);
        await response.BodyWriter.FlushAsync(context.RequestAborted).ConfigureAwait(false);
    }

    private static void Write(Utf8JsonWriter writer, HttpContext context, Problem problem, Action<Utf8JsonWriter>? writeMembers)
    {
        writer.WriteStartObject();
        writer.WriteString("type", problem.Type);
        writer.WriteString("title", problem.Title);
        writer.WriteNumber("status", problem.Status);
        writer.WriteString("detail", problem.Detail);
        writer.WriteString("instance", context.Request.Path.Value);
        writer.WriteString("requestId", context.TraceIdentifier);
        writer.WriteString("error", problem.Error);
        writer.WriteString("message", problem.Detail);
        writeMembers?.Invoke(writer);
        if (problem.Errors.Count > 0)
            WriteErrors(writer, problem.Errors);
        writer.WriteEndObject();
    }

    /// <summary>The member <c>errors</c>. <c>error</c> is the whole sentence, as older clients expect it.</summary>
    public static void WriteErrors(Utf8JsonWriter writer, IEnumerable<ProblemError> errors)
    {
        writer.WriteStartArray("errors");
        foreach (var error in errors)
        {
            writer.WriteStartObject();
            if (error.Index is { } index)
                writer.WriteNumber("index", index);
            writer.WriteString("error", error.ToString());
            writer.WriteString("field", error.Field);
            writer.WriteString("reason", error.Reason);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
