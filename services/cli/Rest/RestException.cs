using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace StripeMeter.Cli.Rest;

/// <summary>The API refused a request, or could not be reached.</summary>
public sealed class RestException : Exception
{
    public RestException()
    {
    }

    public RestException(string message) : base(message)
    {
    }

    public RestException(string message, Exception cause) : base(message, cause)
    {
    }

    /// <summary>The status; null when there was no answer.</summary>
    public HttpStatusCode? Status { get; init; }

    /// <summary>What is wrong with which field, in sentences.</summary>
    public IReadOnlyList<string> Errors { get; init; } = [];

    /// <summary>The whole answer; null if it was not JSON.</summary>
    public JsonNode? Answer { get; init; }

    /// <summary>The server's name for the request.</summary>
    public string RequestId { get; init; } = "";

    /// <summary>Reads a problem document (RFC 9457); any other body is shown as it is.</summary>
    public static RestException OfAnswer(HttpStatusCode status, string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var problem = document.RootElement;
            var (title, detail) = (Text(problem, "title"), Text(problem, "detail"));
            var errors = ErrorsOf(problem);
            var sentence = detail.Length == 0 ? title : errors.Count == 0 ? $"{title}: {detail}" : title;
            return new RestException($"{sentence} ({(int)status})")
            {
                Status = status, Answer = JsonNode.Parse(body), Errors = errors, RequestId = Text(problem, "requestId"),
            };
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            return new RestException($"The answer was {(int)status} {status}. Is this the address of StripeMeter's REST API?") { Status = status };
        }
    }

    private static List<string> ErrorsOf(JsonElement problem)
    {
        var errors = new List<string>();
        if (!problem.TryGetProperty("errors", out var listed) || listed.ValueKind != JsonValueKind.Array)
            return errors;
        foreach (var error in listed.EnumerateArray())
        {
            var place = error.TryGetProperty("index", out var index) ? $"event {index.GetRawText()}: " : "";
            errors.Add(place + Text(error, "error"));
        }

        return errors;
    }

    private static string Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
