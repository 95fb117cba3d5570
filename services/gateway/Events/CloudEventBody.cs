using System.Text.Json;
using CloudNative.CloudEvents.Http;
using StripeMeter.EventFormats;
using StripeMeter.Gateway.Errors;

namespace StripeMeter.Gateway.Events;

/// <summary>Reads the bodies of CloudEvents' HTTP binding. An event that cannot be read is refused alone.</summary>
internal static class CloudEventBody
{
    /// <summary>The header that is there in binary mode only.</summary>
    public const string VersionHeader = "ce-specversion";

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = CloudEventReader.MaximumDepth };

    /// <exception cref="ProblemException">The body is no JSON.</exception>
    public static List<ReadEvent> ReadOne(ReadOnlyMemory<byte> body)
    {
        using var document = Parse(body);
        return [CloudEventReader.Read(document.RootElement)];
    }

    /// <exception cref="ProblemException">The body is no JSON list of 1 to the maximum of events.</exception>
    public static List<ReadEvent> ReadBatch(ReadOnlyMemory<byte> body, int maximumEvents)
    {
        using var document = Parse(body);
        if (document.RootElement.ValueKind != JsonValueKind.Array)
            throw new ProblemException(Problem.Unreadable("must be a JSON array of CloudEvents"));
        var count = document.RootElement.GetArrayLength();
        return count == 0 || count > maximumEvents
            ? throw new ProblemException(Problem.Invalid("events", $"must be 1 to {maximumEvents}, not {count}"))
            : [.. document.RootElement.EnumerateArray().Select(CloudEventReader.Read)];
    }

    /// <exception cref="ProblemException">A header is not encoded as CloudEvents ask.</exception>
    public static List<ReadEvent> ReadBinary(HttpRequest request, ReadOnlyMemory<byte> body)
    {
        var attributes = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (header, value) in request.Headers)
        {
            if (HttpUtilities.GetAttributeNameFromHeaderName(header) is { } attribute)
                attributes[attribute] = Decode(header, value.ToString());
        }

        return [CloudEventReader.Read(attributes, request.ContentType, body)];
    }

    private static string Decode(string header, string value)
    {
        try
        {
            return HttpUtilities.DecodeHeaderValue(value);
        }
        catch (ArgumentException)
        {
            throw new ProblemException(Problem.Invalid(header, "must be percent-encoded UTF-8, in quotation marks or without any"));
        }
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            return JsonDocument.Parse(body, Options);
        }
        catch (JsonException problem)
        {
            throw new ProblemException(Problem.NotJson(problem));
        }
    }
}
