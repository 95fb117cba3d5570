using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using StripeMeter.EventFormats;
using StripeMeter.V1;
using DeadLetter = StripeMeter.Metering.DeadLetters.DeadLetter;
using DeadLetterFormat = StripeMeter.Metering.DeadLetters.DeadLetterFormat;

namespace StripeMeter.Ingest.Subscribing;

/// <summary>An event that was published.</summary>
/// <param name="Read">The event, or why it cannot be read.</param>
/// <param name="Format">How it was written.</param>
/// <param name="Content">What was written, to be kept if it is refused.</param>
internal readonly record struct PublishedEvent(ReadEvent Read, DeadLetterFormat Format, Func<string> Content);

/// <summary>
/// Reads messages of the topic <c>usage.events</c> as sidecars deliver them. A sidecar puts an envelope of its own, with an
/// id made up for each publish, around whatever is no CloudEvent. No sidecar knows the attribute <c>tenantid</c>: an
/// envelope with it is its publisher's, and its attributes count; of any other only the data does.
/// </summary>
internal static class Publication
{
    private const string Message = "message";
    private const string Data = "data";
    private const string TraceParent = "traceparent";
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = CloudEventReader.MaximumDepth };

    /// <summary>The events of a message; one that is refused if it cannot be read at all.</summary>
    public static IReadOnlyList<PublishedEvent> Read(ReadOnlyMemory<byte> message)
    {
        try
        {
            using var document = JsonDocument.Parse(message, Options);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? ReadEnvelope(document.RootElement, message)
                : Unreadable(message, Message, "must be a CloudEvent, a JSON object");
        }
        catch (JsonException)
        {
            return Unreadable(message, Message, "is not JSON");
        }
        catch (InvalidOperationException)
        {
            // A name that is half of a surrogate pair is JSON, and no text.
            return Unreadable(message, Message, "must be well-formed text");
        }
    }

    /// <summary>The span that a message was published in, as its envelope names it; none if it names none.</summary>
    public static IReadOnlyCollection<string> TraceParentsOf(ReadOnlyMemory<byte> message)
    {
        try
        {
            using var document = JsonDocument.Parse(message, Options);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(TraceParent, out var parent)
                && parent.ValueKind == JsonValueKind.String
                ? [parent.GetString()!]
                : [];
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            return [];
        }
    }

    /// <summary>Reads an event as a dead letter keeps it.</summary>
    public static ReadEvent Read(DeadLetter letter)
    {
        try
        {
            switch (letter.Format)
            {
                case DeadLetterFormat.Json:
                    using (var document = JsonDocument.Parse(letter.Content, Options))
                        return ReadJson(document.RootElement);
                case DeadLetterFormat.Protobuf:
                    return new ReadEvent(UsageEvent.Parser.ParseFrom(Convert.FromBase64String(letter.Content)), null);
                default:
                    return ReadEvent.Refused(letter.Field, letter.Reason);
            }
        }
        catch (Exception problem) when (problem is JsonException or FormatException or InvalidProtocolBufferException)
        {
            // A letter that was too long is kept in part.
            return ReadEvent.Refused(letter.Field, letter.Reason);
        }
    }

    private static PublishedEvent[] ReadEnvelope(JsonElement envelope, ReadOnlyMemory<byte> message)
    {
        if (envelope.TryGetProperty("data_base64", out var binary))
        {
            return binary.ValueKind == JsonValueKind.String && binary.TryGetBytesFromBase64(out var bytes)
                ? ReadProtobuf(bytes, message)
                : Unreadable(message, Data, "must be base64");
        }

        if (IsOfPublisher(envelope))
            return [JsonEvent(envelope)];
        if (!envelope.TryGetProperty("data", out var data) || data.ValueKind != JsonValueKind.Object)
            return Unreadable(message, Data, "must be an event as JSON, or protobuf published as application/octet-stream");
        if (!data.TryGetProperty("events", out var events) || events.ValueKind != JsonValueKind.Array)
            return [JsonEvent(data)];
        return events.GetArrayLength() > 0
            ? [.. events.EnumerateArray().Select(JsonEvent)]
            : Unreadable(message, "events", "must not be empty");
    }

    private static PublishedEvent[] ReadProtobuf(byte[] bytes, ReadOnlyMemory<byte> message)
    {
        IngestEventsRequest request;
        try
        {
            request = IngestEventsRequest.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException)
        {
            return Unreadable(message, Data, "is no stripemeter.v1.IngestEventsRequest");
        }

        if (request.Events.Count == 0)
            return Unreadable(message, "events", "must not be empty");
        for (var index = 0; index < request.Events.Count; index++)
        {
            if (request.Events[index].IdempotencyKey.Length == 0 && request.IdempotencyKey.Length > 0)
                request.Events[index].IdempotencyKey = FormattableString.Invariant($"{request.IdempotencyKey}:{index}");
        }

        return [.. request.Events.Select(usage => new PublishedEvent(
            new ReadEvent(usage, null), DeadLetterFormat.Protobuf, () => usage.ToByteString().ToBase64()))];
    }

    private static PublishedEvent JsonEvent(JsonElement element)
    {
        var text = element.GetRawText();
        return new PublishedEvent(ReadJson(element), DeadLetterFormat.Json, () => text);
    }

    private static ReadEvent ReadJson(JsonElement element)
    {
        try
        {
            return IsOfPublisher(element) ? CloudEventReader.Read(element) : EventReader.ReadOne(JsonMarshal.GetRawUtf8Value(element));
        }
        catch (InvalidOperationException)
        {
            return ReadEvent.Refused("event", "must be well-formed text");
        }
    }

    private static bool IsOfPublisher(JsonElement element) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(CloudEventReader.TenantAttribute, out _);

    private static PublishedEvent[] Unreadable(ReadOnlyMemory<byte> message, string field, string reason) =>
        [new PublishedEvent(
            ReadEvent.Refused(field, reason), DeadLetterFormat.Unreadable, () => Encoding.UTF8.GetString(message.Span))];
}
