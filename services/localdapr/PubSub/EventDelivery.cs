using System.Text.Json;
using StripeMeter.LocalDapr.Transport;
using StripeMeter.LocalDapr.Resources;
using StripeMeter.LocalDapr.Strict;

namespace StripeMeter.LocalDapr.PubSub;

/// <summary>What becomes of a message after a delivery.</summary>
internal enum DeliveryStatus
{
    Success,

    /// <summary>Again, as the policy says.</summary>
    Retry,

    /// <summary>Not again; to the dead letter topic when there is one.</summary>
    Drop,

    /// <summary>Acknowledged although nobody took it.</summary>
    Lost,
}

/// <summary>Calls the app with events, one or many, and reads its answer as daprd does.</summary>
internal sealed class EventDelivery(TopicSubscription subscription, AppChannel channel, bool strict)
{
    private const int BytesAroundAnEntry = 160;

    private readonly TopicName _topic = new(subscription.PubSubName, subscription.Topic);

    /// <exception cref="HttpRequestException">The app cannot be reached.</exception>
    public Task<DeliveryStatus[]> DeliverAsync(IReadOnlyList<TopicMessage> messages, CancellationToken cancellation) =>
        subscription.Bulk is null ? DeliverOneAsync(messages[0], cancellation) : DeliverManyAsync(messages, cancellation);

    private async Task<DeliveryStatus[]> DeliverOneAsync(TopicMessage message, CancellationToken cancellation)
    {
        var cloudEvent = subscription.RawPayload ? CloudEvents.WrapRaw(_topic, message.Payload.Span) : message.Payload;
        if (!subscription.RawPayload && message.Kind == PayloadKind.Raw && !IsJsonObject(cloudEvent.Span))
            return [DeliveryStatus.Drop];
        using var content = new ReadOnlyMemoryContent(cloudEvent);
        content.Headers.TryAddWithoutValidation("Content-Type", CloudEvents.ContentType);
        using var response = await channel.SendAsync(HttpMethod.Post, subscription.Route, content, null, cancellation)
            .ConfigureAwait(false);
        return [response.IsNotFound ? DeliveryStatus.Drop : !response.IsSuccess ? DeliveryStatus.Retry : ReadStatus(response.Body.Span)];
    }

    private static DeliveryStatus ReadStatus(ReadOnlySpan<byte> body)
    {
        try
        {
            var reader = new Utf8JsonReader(body);
            if (!JsonElement.TryParseValue(ref reader, out var answer) || answer.Value.ValueKind != JsonValueKind.Object
                || !answer.Value.TryGetProperty("status", out var status))
                return DeliveryStatus.Success;
            return status.ValueKind == JsonValueKind.String && status.GetString() is { Length: > 0 } text ? Named(text)
                : DeliveryStatus.Success;
        }
        catch (JsonException)
        {
            return DeliveryStatus.Success;
        }
    }

    private static DeliveryStatus Named(string? status) => status switch
    {
        "SUCCESS" => DeliveryStatus.Success,
        "DROP" => DeliveryStatus.Drop,
        _ => DeliveryStatus.Retry,
    };

    private async Task<DeliveryStatus[]> DeliverManyAsync(IReadOnlyList<TopicMessage> messages, CancellationToken cancellation)
    {
        using var body = WriteMany(messages);
        using var content = new ReadOnlyMemoryContent(body.WrittenMemory);
        content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        using var response = await channel.SendAsync(HttpMethod.Post, subscription.Route, content, null, cancellation)
            .ConfigureAwait(false);
        var statuses = new DeliveryStatus[messages.Count];
        // daprd acknowledges on 404 and tells nobody.
        Array.Fill(statuses, response.IsNotFound ? strict ? DeliveryStatus.Lost : DeliveryStatus.Drop : DeliveryStatus.Retry);
        if (response.IsSuccess)
            ReadStatuses(response.Body, statuses);
        return statuses;
    }

    private PooledBuffer WriteMany(IReadOnlyList<TopicMessage> messages)
    {
        var size = messages.Sum(message =>
            (subscription.RawPayload ? message.Payload.Length / 3 * 4 : message.Payload.Length) + BytesAroundAnEntry);
        var buffer = new PooledBuffer(size + BytesAroundAnEntry);
        using var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true });
        json.WriteStartObject();
        json.WriteString("id"u8, Guid.NewGuid());
        json.WriteStartArray("entries"u8);
        for (var index = 0; index < messages.Count; index++)
            WriteEntry(json, index, messages[index]);
        json.WriteEndArray();
        json.WriteStartObject("metadata"u8);
        json.WriteString("pubsubName"u8, _topic.PubSub);
        json.WriteEndObject();
        json.WriteString("topic"u8, _topic.Topic);
        json.WriteString("pubsubname"u8, _topic.PubSub);
        json.WriteString("type"u8, "com.dapr.event.sent.bulk"u8);
        json.WriteEndObject();
        json.Flush();
        return buffer;
    }

    private void WriteEntry(Utf8JsonWriter json, int index, TopicMessage message)
    {
        json.WriteStartObject();
        json.WriteString("entryId"u8, index.ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (subscription.RawPayload)
        {
            json.WriteBase64String("event"u8, message.Payload.Span);
        }
        else
        {
            json.WritePropertyName("event"u8);
            var rounds = strict && message.Kind == PayloadKind.JsonEvent;
            json.WriteRawValue(rounds ? GoNumbers.Round(message.Payload).Span : message.Payload.Span, skipInputValidation: true);
        }

        json.WriteStartObject("metadata"u8);
        json.WriteEndObject();
        json.WriteString("contentType"u8, subscription.RawPayload ? "application/octet-stream" : CloudEvents.ContentType);
        json.WriteEndObject();
    }

    /// <summary>An entry without a status, or with one that is empty or unknown, is retried; so are all when the answer cannot be
    /// read.</summary>
    private static void ReadStatuses(ReadOnlyMemory<byte> body, DeliveryStatus[] statuses)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("statuses", out var list) || list.ValueKind != JsonValueKind.Array)
                return;
            foreach (var entry in list.EnumerateArray())
            {
                if (entry.TryGetProperty("entryId", out var id) && int.TryParse(id.GetString(), out var index) && index >= 0
                    && index < statuses.Length
                    && entry.TryGetProperty("status", out var status))
                    statuses[index] = Named(status.GetString());
            }
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            Array.Fill(statuses, DeliveryStatus.Retry);
        }
    }

    /// <summary>A message without envelope reaches a subscriber that expects one only if it is JSON itself.</summary>
    public static bool IsJsonObject(ReadOnlySpan<byte> payload)
    {
        try
        {
            var reader = new Utf8JsonReader(payload);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return false;
            reader.Skip();
            return !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
