using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace StripeMeter.LocalDapr.PubSub;

/// <summary>What is published, before it has an envelope.</summary>
internal readonly record struct Publication(ReadOnlyMemory<byte> Data, string ContentType, IReadOnlyDictionary<string, string> Metadata);

/// <summary>
/// The CloudEvent envelope, field for field as daprd makes it (components-contrib <c>pubsub/envelope.go</c>): members in
/// alphabetical order, JSON as it is, octet-streams as base64, and anything else as text, which destroys protobuf.
/// </summary>
internal sealed partial class CloudEvents(string appId, bool strict, TimeProvider time, ILogger logger)
{
    public const string ContentType = "application/cloudevents+json";
    public const string DefaultType = "com.dapr.event.sent";
    private const string OctetStream = "application/octet-stream";
    private const int EnvelopeBytes = 512;

    private static readonly JsonWriterOptions Relaxed = new() { SkipValidation = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <exception cref="JsonException">It is said to be a CloudEvent and is not JSON.</exception>
    public TopicMessage Wrap(TopicName topic, Publication publication, string? traceParent, string? traceState)
    {
        var metadata = publication.Metadata;
        if (metadata.TryGetValue("rawPayload", out var raw) && bool.TryParse(raw, out var isRaw) && isRaw)
            return new TopicMessage(PayloadKind.Raw, publication.Data.ToArray());
        if (HasMediaType(publication.ContentType, ContentType))
            return TakeOver(topic, publication, traceParent, traceState);

        var buffer = new ArrayBufferWriter<byte>(((publication.Data.Length + 2) / 3 * 4) + EnvelopeBytes);
        using var json = new Utf8JsonWriter(buffer, Relaxed);
        json.WriteStartObject();
        var kind = WriteData(json, topic, publication);
        json.WriteString("datacontenttype"u8, publication.ContentType);
        WriteExpiration(json, metadata);
        json.WriteString("id"u8, metadata.GetValueOrDefault("cloudevent.id") ?? Guid.NewGuid().ToString());
        json.WriteString("pubsubname"u8, topic.PubSub);
        json.WriteString("source"u8, metadata.GetValueOrDefault("cloudevent.source") ?? appId);
        json.WriteString("specversion"u8, "1.0"u8);
        if (metadata.GetValueOrDefault("cloudevent.subject") is { Length: > 0 } subject)
            json.WriteString("subject"u8, subject);
        json.WriteString("time"u8, Rfc3339(time.GetUtcNow()));
        json.WriteString("topic"u8, topic.Topic);
        var trace = metadata.GetValueOrDefault("cloudevent.traceparent") ?? traceParent ?? "";
        json.WriteString("traceid"u8, trace);
        json.WriteString("traceparent"u8, trace);
        json.WriteString("tracestate"u8, metadata.GetValueOrDefault("cloudevent.tracestate") ?? traceState ?? "");
        json.WriteString("type"u8, metadata.GetValueOrDefault("cloudevent.type") ?? DefaultType);
        json.WriteEndObject();
        json.Flush();
        return new TopicMessage(kind, buffer.WrittenMemory);
    }

    private PayloadKind WriteData(Utf8JsonWriter json, TopicName topic, Publication publication)
    {
        var data = publication.Data.Span;
        if (HasMediaType(publication.ContentType, OctetStream))
        {
            json.WriteBase64String("data_base64"u8, data);
            return PayloadKind.Event;
        }

        if (IsJson(publication.ContentType) && IsValidJson(data))
        {
            json.WritePropertyName("data"u8);
            json.WriteRawValue(data, skipInputValidation: true);
            return PayloadKind.JsonEvent;
        }

        if (!System.Text.Unicode.Utf8.IsValid(data))
        {
            LogCorrupted(logger, topic, publication.ContentType, strict);
            if (!strict)
            {
                json.WriteBase64String("data_base64"u8, data);
                return PayloadKind.Event;
            }
        }

        json.WriteString("data"u8, Encoding.UTF8.GetString(data));
        return PayloadKind.Event;
    }

    /// <summary>A publisher's own CloudEvent keeps its members; topic, component and trace are ours, what is missing gets its
    /// default.</summary>
    private TopicMessage TakeOver(TopicName topic, Publication publication, string? traceParent, string? traceState)
    {
        using var document = JsonDocument.Parse(publication.Data);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
            throw new JsonException("a CloudEvent is a JSON object");
        var members = new SortedDictionary<string, Action<Utf8JsonWriter>>(StringComparer.Ordinal);
        void Default(string name, string value) => members.TryAdd(name, json => json.WriteString(name, value));
        void Force(string name, string value) => members[name] = json => json.WriteString(name, value);
        foreach (var member in document.RootElement.EnumerateObject().Where(static member => member.Value.ValueKind != JsonValueKind.Null))
            members[member.Name] = member.WriteTo;
        Force("topic", topic.Topic);
        Force("pubsubname", topic.PubSub);
        Force("traceid", traceParent ?? "");
        Force("traceparent", traceParent ?? "");
        Force("tracestate", traceState ?? "");
        Default("source", "Dapr");
        Default("type", DefaultType);
        Default("specversion", "1.0");
        if (publication.Metadata.GetValueOrDefault("ttlInSeconds") is { Length: > 0 } ttl && !members.ContainsKey("expiration"))
            Force("expiration", Rfc3339(time.GetUtcNow() + TimeSpan.FromSeconds(long.Parse(ttl, CultureInfo.InvariantCulture))));

        var buffer = new ArrayBufferWriter<byte>(publication.Data.Length + EnvelopeBytes);
        using var json = new Utf8JsonWriter(buffer, Relaxed);
        json.WriteStartObject();
        foreach (var write in members.Values)
            write(json);
        json.WriteEndObject();
        json.Flush();
        return new TopicMessage(members.ContainsKey("data") ? PayloadKind.JsonEvent : PayloadKind.Event, buffer.WrittenMemory);
    }

    /// <summary>The envelope a subscriber with rawPayload gets: a new random id each time it is delivered.</summary>
    public static ReadOnlyMemory<byte> WrapRaw(TopicName topic, ReadOnlySpan<byte> payload)
    {
        var buffer = new ArrayBufferWriter<byte>(((payload.Length + 2) / 3 * 4) + EnvelopeBytes);
        using var json = new Utf8JsonWriter(buffer, Relaxed);
        json.WriteStartObject();
        json.WriteBase64String("data_base64"u8, payload);
        json.WriteString("datacontenttype"u8, OctetStream);
        json.WriteString("id"u8, Guid.NewGuid());
        json.WriteString("pubsubname"u8, topic.PubSub);
        json.WriteString("source"u8, "Dapr"u8);
        json.WriteString("specversion"u8, "1.0"u8);
        json.WriteString("topic"u8, topic.Topic);
        json.WriteString("type"u8, DefaultType);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    /// <summary>True when the event carries an <c>expiration</c> that has passed.</summary>
    public static bool HasExpired(ReadOnlySpan<byte> cloudEvent, DateTimeOffset now)
    {
        // Most events have none, and finding that out must not cost a parse of a large payload.
        if (cloudEvent.IndexOf("\"expiration\""u8) < 0)
            return false;
        var reader = new Utf8JsonReader(cloudEvent);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isExpiration = reader.ValueTextEquals("expiration"u8);
            reader.Read();
            if (isExpiration)
                return reader.TokenType == JsonTokenType.String && reader.TryGetDateTimeOffset(out var end) && end < now;
            reader.Skip();
        }

        return false;
    }

    private void WriteExpiration(Utf8JsonWriter json, IReadOnlyDictionary<string, string> metadata)
    {
        if (metadata.GetValueOrDefault("ttlInSeconds") is { Length: > 0 } text
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            json.WriteString("expiration"u8, Rfc3339(time.GetUtcNow() + TimeSpan.FromSeconds(seconds)));
    }

    private static string Rfc3339(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static bool IsValidJson(ReadOnlySpan<byte> data)
    {
        var reader = new Utf8JsonReader(data);
        try
        {
            if (!reader.Read())
                return false;
            reader.Skip();
            return !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool IsJson(string contentType)
    {
        var media = MediaType(contentType);
        return media.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || media.EndsWith("+json", StringComparison.OrdinalIgnoreCase);
    }

    private static bool HasMediaType(string contentType, string mediaType) =>
        MediaType(contentType).Equals(mediaType, StringComparison.OrdinalIgnoreCase);

    private static ReadOnlySpan<char> MediaType(string contentType)
    {
        var end = contentType.IndexOf(';', StringComparison.Ordinal);
        return (end < 0 ? contentType : contentType.AsSpan(0, end)).Trim();
    }

    [LoggerMessage(30, LogLevel.Error,
        "Binary data was published to {Topic} as '{ContentType}': Dapr turns it into text, which destroys it (done here: {Corrupted}). Publish it as application/octet-stream")]
    private static partial void LogCorrupted(ILogger logger, TopicName topic, string contentType, bool corrupted);
}
